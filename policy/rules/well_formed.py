"""Rule well-formed: what cannot be read is a finding, so that no other rule is passed by being unreadable."""

from policy.atlas import role_view, user_view
from policy.ecs import task_view
from policy.iam import inline_views, own_policy_view, policy_view
from policy.model import Framework, Rule, Severity
from policy.proofs import proof_view
from policy.reader import Problem
from policy.report import Report, printable
from policy.resources import (
    CUSTOM_DB_ROLE,
    DATABASE_USER,
    GROUP_POLICY,
    MANAGED_POLICY,
    PRIVILEGE_PROOF,
    ROLE,
    ROLE_POLICY,
    SECRET,
    SECRET_POLICY,
    TASK_DEFINITION,
    USER_POLICY,
    Resource,
)
from policy.run import Run

_SHOWN = 5


def _problems(resource: Resource) -> tuple[Problem, ...]:
    match resource.type:
        case "mongodbatlas:index/databaseUser:DatabaseUser":
            return resource.read(user_view).problems
        case "mongodbatlas:index/customDbRole:CustomDbRole":
            return resource.read(role_view).problems
        case "aws:ecs/taskDefinition:TaskDefinition":
            return resource.read(task_view).problems
        case "pulumi-python:dynamic/probe:PrivilegeProof":
            return resource.read(proof_view).problems
        case "aws:iam/role:Role":
            return tuple(problem for view in resource.read(inline_views) for problem in view.problems)
        case "aws:secretsmanager/secret:Secret":
            return resource.read(own_policy_view).problems
        case _:
            return resource.read(policy_view).problems


def check(resource: Resource, run: Run, report: Report) -> None:
    """Every property that our rules read has the form that its type says."""
    problems = _problems(resource)
    for problem in problems[:_SHOWN]:
        report.finding(f"{printable(str(problem))}.")
    if len(problems) > _SHOWN:
        report.finding(f"{len(problems) - _SHOWN} more properties cannot be read.")


RULE = Rule(
    name="well-formed",
    description="Properties that the rules judge can be read (ADR 0001, ADR 0006)",
    why="A property of the wrong form would slip past every rule that looks for a value in it.",
    source="ADR 0006",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Give the property the form that the provider's schema names.",
    offending='aws.ecs.TaskDefinition("app", family="askflorence-staging-app", container_definitions="not JSON")',
    compliant='aws.ecs.TaskDefinition("app", family="askflorence-staging-app",\n'
    "    container_definitions=json.dumps([...]), skip_destroy=True)",
    types=(
        DATABASE_USER,
        CUSTOM_DB_ROLE,
        TASK_DEFINITION,
        ROLE_POLICY,
        MANAGED_POLICY,
        ROLE,
        USER_POLICY,
        GROUP_POLICY,
        SECRET,
        SECRET_POLICY,
        PRIVILEGE_PROOF,
    ),
    check=check,
)
