"""Rule project-isolation: a stack uses its own Atlas project, AWS account, cluster and secret prefix."""

import re

from policy.atlas import user_view
from policy.config import StackFacts
from policy.model import Framework, Rule, Severity
from policy.report import Report, printable
from policy.resources import CUSTOM_DB_ROLE, DATABASE_USER, SECRET, STACK_REFERENCE, Resource
from policy.run import Run
from policy.values import Marker

_SECRET_VALUES = frozenset({"password", "passwordWo", "secretString", "secretStringWo"})
_PLAUSIBLE = re.compile(r"[0-9a-f]{12}")


def _trespass(path: str, text: str, other: StackFacts) -> str:
    if other.project_id in text:
        return f"{path}: names the Atlas project of {other.name}."
    if re.search(rf"(?<![0-9A-Za-z]){other.account}(?![0-9A-Za-z])", text):
        return f"{path}: names the AWS account of {other.name}."
    if f":secret:{other.secret_prefix}" in text:
        return f"{path}: names a secret of {other.name}."
    return ""


def _check_texts(resource: Resource, run: Run, report: Report) -> None:
    for path, text in resource.texts:
        if path in _SECRET_VALUES or _PLAUSIBLE.search(text) is None:
            continue
        for other in run.others:
            said = _trespass(printable(path), text, other)
            if said:
                report.finding(said)


def _check_own_project(resource: Resource, run: Run, report: Report) -> None:
    project = resource.props.get("projectId")
    if isinstance(project, Marker):
        report.not_evaluated("projectId", project)
        return
    foreign = {other.project_id for other in run.others}
    if (
        run.facts is not None
        and isinstance(project, str)
        and project != run.facts.project_id
        and project not in foreign
    ):
        report.finding(f"projectId: is not the Atlas project of {run.stack}.")


def check(resource: Resource, run: Run, report: Report) -> None:
    """No text names what another environment owns, and users and roles stand in this environment's project.

    An unknown stack owns nothing, so every configured environment is another one to it.
    """
    if resource.type == STACK_REFERENCE:
        return
    _check_texts(resource, run, report)
    if resource.type in (DATABASE_USER, CUSTOM_DB_ROLE):
        _check_own_project(resource, run, report)
    if resource.type == DATABASE_USER:
        scopes = resource.read(user_view).scopes
        for other in run.others:
            if not isinstance(scopes, Marker) and any(name == other.cluster for name, _ in scopes):
                report.finding(f"scopes: names the cluster of {other.name}.")
    name = resource.props.get("name")
    if resource.type == SECRET and isinstance(name, str):
        for other in run.others:
            if name.startswith(other.secret_prefix):
                report.finding(f"name: begins with the secret prefix of {other.name}.")


RULE = Rule(
    name="project-isolation",
    description="A stack uses its own Atlas project, AWS account, cluster and secret prefix (ADR 0001)",
    why="Atlas shares users, roles and allow-lists within a project: one id in the wrong stack changes production.",
    source="ADR 0001",
    severity=Severity.CRITICAL,
    frameworks=(Framework.CMS_SEPARATION, Framework.SOC2_BOUNDARIES),
    remediation="Take ids from the stack's own configuration; nothing in one stack names what the other owns.",
    offending='DatabaseUser("u", project_id="69dc20c64005b222804dafa4", ...)  # in the stack staging',
    compliant='DatabaseUser("u", project_id=settings.project_id, ...)',
    check=check,
)
