"""Rule well-formed: what cannot be read is a finding, so that no other rule is passed by being unreadable."""

from collections.abc import Callable
from typing import Any, Final

from policy.atlas import role_view, user_view
from policy.ecs import proof_view, task_view
from policy.iam import PolicyView, inline_views, own_policy_view, policy_view, trust_view
from policy.model import rule
from policy.report import Report, printable
from policy.resources import (
    CUSTOM_DB_ROLE,
    DATABASE_USER,
    KEY_POLICY,
    PRIVILEGE_PROOF,
    ROLE,
    SECRET,
    SECRET_POLICY,
    TASK_DEFINITION,
    Resource,
)
from policy.rules.readers import DOCUMENTS
from policy.run import Run
from policy.values import Marker

_SHOWN = 5


def _role_views(resource: Resource) -> tuple[PolicyView, ...]:
    return (*resource.read(inline_views), resource.read(trust_view))


_VIEWS: Final[dict[str, Callable[[Resource], Any]]] = {
    DATABASE_USER: user_view,
    CUSTOM_DB_ROLE: role_view,
    TASK_DEFINITION: task_view,
    PRIVILEGE_PROOF: proof_view,
    ROLE: _role_views,
    SECRET: own_policy_view,
    **dict.fromkeys((*DOCUMENTS, SECRET_POLICY, KEY_POLICY), policy_view),
}


@rule("well-formed", *_VIEWS)
def check(resource: Resource, run: Run, report: Report) -> None:
    """Every property that our rules read has the form that its type says; another team's users are theirs."""
    named = isinstance(resource.props.get("projectId"), str | Marker)
    if named and resource.type in (DATABASE_USER, CUSTOM_DB_ROLE) and not run.atlas_ours(resource):
        return
    view = resource.read(_VIEWS[resource.type])
    views = view if isinstance(view, tuple) else (view,)
    problems = list(dict.fromkeys(problem for each in views for problem in each.problems))
    for problem in problems[:_SHOWN]:
        report.finding(f"{printable(str(problem))}.")
    if len(problems) > _SHOWN:
        report.finding(f"{len(problems) - _SHOWN} more properties cannot be read.")
