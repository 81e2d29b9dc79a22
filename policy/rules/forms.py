"""Rule well-formed: what cannot be read is a finding, so that no other rule is passed by being unreadable."""

from collections.abc import Callable
from typing import Final

from policy.atlas import role_view, user_view
from policy.ecs import proof_view, task_view
from policy.iam import inline_views, own_policy_view, policy_view, trust_view
from policy.model import documented
from policy.reader import Problem
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


def _of_role(resource: Resource) -> tuple[Problem, ...]:
    views = (*resource.read(inline_views), resource.read(trust_view))
    return tuple(dict.fromkeys(problem for view in views for problem in view.problems))


_PROBLEMS: Final[dict[str, Callable[[Resource], tuple[Problem, ...]]]] = {
    DATABASE_USER: lambda resource: resource.read(user_view).problems,
    CUSTOM_DB_ROLE: lambda resource: resource.read(role_view).problems,
    TASK_DEFINITION: lambda resource: resource.read(task_view).problems,
    PRIVILEGE_PROOF: lambda resource: resource.read(proof_view).problems,
    ROLE: _of_role,
    SECRET: lambda resource: resource.read(own_policy_view).problems,
    **dict.fromkeys(
        (*DOCUMENTS, SECRET_POLICY, KEY_POLICY), lambda resource: resource.read(policy_view).problems
    ),
}


def check(resource: Resource, run: Run, report: Report) -> None:
    """Every property that our rules read has the form that its type says; another team's users are theirs."""
    of_atlas = resource.type in (DATABASE_USER, CUSTOM_DB_ROLE)
    if (
        of_atlas
        and isinstance(resource.props.get("projectId"), str | Marker)
        and not run.atlas_ours(resource)
    ):
        return
    problems = _PROBLEMS[resource.type](resource)
    for problem in problems[:_SHOWN]:
        report.finding(f"{printable(str(problem))}.")
    if len(problems) > _SHOWN:
        report.finding(f"{len(problems) - _SHOWN} more properties cannot be read.")


WELL_FORMED = documented("well-formed", *_PROBLEMS, check=check, anywhere=True)
