"""Rule additive-provision: `provision` only adds, and what is legacy is touched by nothing but the retirement."""

from policy import adr
from policy.config import StackFacts
from policy.model import Framework, Rule, Severity
from policy.report import Report, printable
from policy.resources import (
    CUSTOM_DB_ROLE,
    DATABASE_USER,
    ECS_SERVICE,
    ROLLOUT,
    SECRET,
    SECRET_VERSION,
    TASK_DEFINITION,
    Resource,
)
from policy.run import Run
from policy.secret_reference import parse_secret_reference
from policy.values import UNKNOWN, Marker

_LEGACY_NAMES = {
    DATABASE_USER: "username",
    CUSTOM_DB_ROLE: "roleName",
    SECRET: "name",
    SECRET_VERSION: "secretId",
}


def _is_legacy(kind: str, value: str, facts: StackFacts) -> bool:
    if kind == DATABASE_USER:
        return value in facts.legacy_users
    if kind == CUSTOM_DB_ROLE:
        return value in facts.legacy_roles
    reference = parse_secret_reference(value)
    if reference is None:
        return value in facts.legacy_secrets
    return any(reference.names(name) for name in facts.legacy_secrets)


def _check_legacy(resource: Resource, run: Run, report: Report) -> None:
    key = _LEGACY_NAMES[resource.type]
    value = resource.props.get(key)
    if isinstance(value, Marker):
        report.not_evaluated(key, value)
    elif run.facts is not None and isinstance(value, str) and _is_legacy(resource.type, value, run.facts):
        report.finding(
            f"{key}: {printable(value)} is legacy; it stays as it is until the retirement removes it."
        )


def check(resource: Resource, run: Run, report: Report) -> None:
    """No task definition, service or forward rollout in `provision`; nothing legacy is declared in any phase."""
    if resource.type in _LEGACY_NAMES:
        _check_legacy(resource, run, report)
        return
    if resource.type == ROLLOUT and resource.props.get("undo") is True:
        return
    if run.phase is adr.Phase.PROVISION:
        report.finding(
            "phase provision only adds users, roles, secrets, grants and proofs; services follow in bind."
        )
    elif run.phase is None and run.phase_problem:
        report.finding(f"{run.phase_problem}, so nothing may change a service.")
    elif run.phase is None:
        report.not_evaluated("phase", UNKNOWN)


RULE = Rule(
    name="additive-provision",
    description="Phase provision changes nothing legacy and no service (ENG-279, phases B and C)",
    why="Old revisions keep serving on old credentials until the new ones are proven; a change there is an outage.",
    source="ENG-279 phase B",
    severity=Severity.CRITICAL,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Set phase to bind once the proofs are green; leave legacy users, roles and secrets undeclared.",
    offending='DatabaseUser("old", username="app_writer_plans", ...)  # or a TaskDefinition in phase provision',
    compliant='DatabaseUser("new", username="app_write", ...)',
    types=(*_LEGACY_NAMES, TASK_DEFINITION, ECS_SERVICE, ROLLOUT),
    check=check,
    after_creation=("secretId",),
)
