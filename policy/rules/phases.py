"""What a phase allows: provision only adds, and nothing is retired without the gate's evidence."""

from collections.abc import Sequence

from policy.ecs import task_view
from policy.law import Environment
from policy.model import rule
from policy.reader import Reader
from policy.report import Report, printable
from policy.resources import (
    CUSTOM_DB_ROLE,
    DATABASE_USER,
    ECS_SERVICE,
    RETIREMENT,
    ROLLOUT,
    SECRET,
    SECRET_VERSION,
    SERVICE_ACCESS,
    STACK,
    TASK_DEFINITION,
    Resource,
)
from policy.rules.services import runs_ours
from policy.run import Phase, Run
from policy.secret_reference import parse_secret_reference
from policy.values import UNKNOWN, Marker

RETIREMENT_CONDITIONS = (
    "no_legacy_bound_revision",
    "three_completed_deployments",
    "drift_clean",
    "smoke_gates_green",
    "phases_verified_24h",
    "no_legacy_login",
    "typed_confirmation",
)
"""The conditions of a retirement; the retirement's evidence must report each as met."""

_LEGACY_NAMES = {
    DATABASE_USER: "username",
    CUSTOM_DB_ROLE: "roleName",
    SECRET: "name",
    SECRET_VERSION: "secretId",
}


def _is_legacy(kind: str, value: str, home: Environment) -> bool:
    of_atlas = {DATABASE_USER: home.legacy_users, CUSTOM_DB_ROLE: home.legacy_roles}
    reference = parse_secret_reference(value)
    named = (value,) if reference is None else (reference.name, reference.full_name)
    return not of_atlas.get(kind, home.legacy_secrets).isdisjoint(named)


def _check_legacy(resource: Resource, run: Run, report: Report) -> None:
    key = _LEGACY_NAMES[resource.type]
    value = resource.props.get(key)
    atlas = resource.type in (DATABASE_USER, CUSTOM_DB_ROLE)
    if isinstance(value, Marker):
        if resource.in_our_component or (atlas and run.atlas_ours(resource)):
            report.not_evaluated(key, value)
    elif run.home is None or not isinstance(value, str) or (atlas and not run.atlas_ours(resource)):
        return
    elif _is_legacy(resource.type, value, run.home):
        report.finding(f"{key}: {printable(value)} is legacy and stays as it is until its retirement.")


def _is_another_teams(resource: Resource, run: Run) -> bool:
    """Whether a task definition or service is known to run no family of ours."""
    home = run.home
    if home is None or resource.type == ROLLOUT:
        return False
    if resource.type == TASK_DEFINITION:
        family = resource.read(task_view).family
        return not isinstance(family, Marker) and family not in home.tasks
    return not runs_ours(resource, home)


@rule("additive-provision", *_LEGACY_NAMES, TASK_DEFINITION, ECS_SERVICE, ROLLOUT)
def check_additive(resource: Resource, run: Run, report: Report) -> None:
    """No revision, service or forward rollout of ours in `provision`; nothing legacy is declared in any phase."""
    if resource.type in _LEGACY_NAMES:
        _check_legacy(resource, run, report)
        return
    if (resource.type == ROLLOUT and resource.props.get("undo") is True) or _is_another_teams(resource, run):
        return
    if run.phase is Phase.PROVISION:
        report.finding("phase provision adds users, roles, secrets and proofs; services follow in bind.")
    elif run.phase is None and run.phase_problem:
        report.finding(f"{run.phase_problem}, so nothing may change a service.")
    elif run.phase is None:
        report.not_evaluated("phase", UNKNOWN)


def _unmet(resource: Resource, run: Run, report: Report) -> list[str] | None:
    """The conditions that the evidence does not show as met; None where it cannot be seen."""
    document = Reader(resource.props).document("evidence", required=True)
    if report.hides(document, "evidence"):
        return None
    reader = Reader(document if isinstance(document, dict) else {}, "evidence")
    listed = reader.objects("conditions")
    if report.hides(listed, "evidence.conditions"):
        return None
    stack = reader.text("stack")
    if isinstance(stack, str) and stack != run.stack:
        report.finding(f"evidence: is of the stack {printable(stack)}.")
    shown: dict[str, bool] = {}
    blind = False
    for condition in listed:
        name, flag, told = condition.text("name"), condition.flag("met"), condition.text("evidence")
        standing = condition.text("standing")
        hidden = next((part for part in (name, flag, told, standing) if isinstance(part, Marker)), None)
        blind |= report.hides(hidden, "evidence.conditions")
        if not isinstance(name, str) or hidden is not None:
            continue
        says = any(map(str.isalnum, str(told or "")))
        met = flag is True and says and standing in (None, "met")
        shown[name] = shown.get(name, True) and met
    return [name for name in RETIREMENT_CONDITIONS if not shown.get(name, blind)]


@rule("retire-gated", RETIREMENT)
def check_retirement(resource: Resource, run: Run, report: Report) -> None:
    """A retirement is in phase `retire` and has evidence for every condition; unknown counts as unmet."""
    if run.phase not in (Phase.RETIRE, None):
        report.finding("is outside phase retire.")
    unmet = _unmet(resource, run, report)
    if unmet:
        report.finding(f"evidence: not met or not shown: {', '.join(unmet)}.")


@rule("retire-gated", whole_stack=True)
def check_retire_stack(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """Our component in phase `retire` comes with a retirement, whose evidence the resource rule judges."""
    if run.phase is not Phase.RETIRE or any(resource.type == RETIREMENT for resource in resources):
        return
    component = next((resource for resource in resources if resource.type == SERVICE_ACCESS), None)
    root = next((resource for resource in resources if resource.type == STACK), component)
    if component is not None and root is not None:
        report.on(root)
        report.finding("is in phase retire without a Retirement that carries the gate's evidence.")
