"""Rule reader-roles: nobody but ECS becomes a role that reads a secret of ours, and nobody is given the means to."""

from collections.abc import Iterator

from policy.iam import PolicyView, inline_views, policy_view, trust_view
from policy.law import Environment
from policy.model import documented
from policy.report import Report, printable
from policy.resources import ROLE, Resource
from policy.rules.readers import DOCUMENTS
from policy.run import Run
from policy.values import Marker

_BECOMES = (
    *("sts:AssumeRole", "iam:PassRole", "iam:UpdateAssumeRolePolicy"),
    *("iam:PutRolePolicy", "iam:AttachRolePolicy"),
)
_TASKS = "ecs-tasks.amazonaws.com"


def check_detours(resource: Resource, run: Run, report: Report) -> None:
    """Nobody but ECS becomes a role of ours, and nobody is given the means to."""
    home = run.home
    if home is None:
        return
    views = resource.read(inline_views) if resource.type == ROLE else (resource.read(policy_view),)
    for view in views:
        report.not_evaluated("inlinePolicies" if resource.type == ROLE else "policy", view.unseen)
        for place, marker in view.hidden(_BECOMES):
            report.not_evaluated(place, marker)
        for message in dict.fromkeys(_detours(view, home)):
            report.finding(message)
    if resource.type == ROLE:
        _check_trust(resource, home, report)


def _detours(view: PolicyView, home: Environment) -> Iterator[str]:
    actions = view.mentions(_BECOMES)
    for role in sorted(home.iam_roles) if actions else ():
        for action in actions:
            found = view.allowing(action, f"arn:aws:iam::{home.account}:role/{role}")
            if found is not None:
                yield f"{found.path}: allows {action} on {role}, which reads secrets of ours."


def _check_trust(resource: Resource, home: Environment, report: Report) -> None:
    name = resource.props.get("name")
    if not isinstance(name, Marker) and str(name) not in home.iam_roles:
        return
    view = resource.read(trust_view)
    report.not_evaluated("assumeRolePolicy", view.unseen)
    for statement in view.statements:
        if not statement.allows:
            continue
        if statement.hidden is not None:
            report.not_evaluated("assumeRolePolicy", statement.hidden)
        elif set(statement.principals) != {_TASKS} and not report.hides(name, "name"):
            report.finding(printable(f"assumeRolePolicy: lets others than {_TASKS} become {name}."))


READER_ROLES = documented("reader-roles", *DOCUMENTS, ROLE, check=check_detours)
