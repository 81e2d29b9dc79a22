"""The gates at an update's two ends: a first update begins with a baseline, and one that changed access ends green.

A rollout judges the revision that it swaps in by itself. Where nothing can be asked, the reason is recorded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from atlas_access.base import Endpoints, Settings
from atlas_access.rollout.gates import UNGATED, Gates, safely
from atlas_access.rollout.model import short
from atlas_access.rollout.service import ServiceMissing
from atlas_access.rollout.stack import PROJECT_FOLDER, has_baseline, own_settings, say, service_of
from atlas_access.rollout.steps import Done


def ungated(stack: str, settings: Settings, endpoints: Endpoints) -> tuple[str, ...]:
    """Why the stack's gates could not judge a change; () where they can, or where there are none to run."""
    gates = _gates(stack, settings, endpoints)
    if gates is not None:
        return gates.refusals()
    none = settings.allow_ungated_rollout or not (PROJECT_FOLDER / "smoke.yaml").is_file()
    return () if none else (UNGATED,)


def _gates(stack: str, settings: Settings, endpoints: Endpoints) -> Gates | None:
    if not has_baseline(stack, settings, allow_ungated=settings.allow_ungated_rollout):
        return None
    from atlas_access.rollout.wiring import gates_for  # only here: it takes longer to import than a preview

    return gates_for(stack, settings, endpoints)


def close(props: Mapping[str, Any]) -> dict[str, Any]:
    """Run one round of the gates on the running revision, a red one once more.

    Raises `RolloutFailed` and `AwsUnavailable`.
    """
    answer = _answer(props)
    say(answer)
    return {**props, "gates": answer}


def _answer(props: Mapping[str, Any]) -> str:
    endpoints = Endpoints.from_environment(os.environ)
    stack, settings = str(props["stack"]), own_settings(props, endpoints)
    try:
        state, service_tags = service_of(props, endpoints).observe_tagged()
    except ServiceMissing as error:
        return f"gates not run: {error}"
    gates, runs = _gates(stack, settings, endpoints), short(state.revision)
    if gates is None or not state.desired:
        why = (
            f"{stack} has no smoke baseline" if state.desired else f"no task of {props['service']} is wanted"
        )
        return f"gates not run: {why}"
    judged, proven = str(props.get("gated_at") or ""), (str(each or "") for each in props["proven_at"])
    if judged and judged >= max(proven, default="") and state.revision == props["revision"]:
        return f"gates green on {runs} at {judged}, by the rollout, after the last change"
    from atlas_access.rollout.open_incident import StopLine
    from atlas_access.rollout.report import RolloutFailed

    with StopLine(stack, settings.github_repository, endpoints, os.environ, say).watching(
        lambda _: True
    ) as green:
        found = gates.refusals()
        for _ in range(0 if found else 2):
            result = safely(gates, state.revision, lambda: False)
            if result.green:
                if service_tags.held is None:  # after a rollback the next green rollout closes the issue
                    green(Done(state.revision, moved=False))
                return f"gates on {runs}: {result}"
            found = result.failures
        raise RolloutFailed(
            f"GATES RED  {stack}: {'; '.join(found)}\n"
            "  They were run because roles, users, secrets or settings changed. This step swapped nothing: "
            f"{runs} keeps running.\n"
            f"  Next: atlas-access prove {stack}, atlas-access smoke {stack}; fix the cause and update {stack} again."
        )
