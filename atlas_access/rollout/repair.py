"""A repair: a reviewed reason by which one revision is moved onto a service whose gates are already red.

The revision carries the reason as a tag. So a repair is spent by that revision, whatever becomes of it: another one
needs a reason of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atlas_access.clients import describe_definition, tags_of
from atlas_access.rollout.model import short
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_tags import PREFIX, clean

TAG = f"{PREFIX}repair"
_INSPECTED = 10
"""How many of a family's newest revisions are inspected."""


@dataclass(frozen=True)
class Repair:
    """The repair of a stack's settings, and the service that it is for."""

    stack: str
    reason: str
    service: Service

    def against(self, running: str, wanted: str) -> tuple[str, ...]:
        """Why the wanted revision may not be moved by it; () where it may. Raises `AwsUnavailable`."""
        spent = self.spent(running, but=wanted)
        if spent:
            return (spent_finding(self.stack, spent),)
        if _carries(self.service.definition(wanted), self.reason):
            return ()
        return (f"{short(wanted)} does not carry the tag {TAG} of the repair; update {self.stack} again",)

    def spent(self, running: str, but: str = "") -> str:
        """The revision other than `but` that carries this repair, "" where none does. Raises `AwsUnavailable`."""
        return spent_by(self.service.ecs, running, self.reason, but)


def spent_by(ecs: Any, running: str, reason: str, but: str = "") -> str:
    """The revision that carries a repair, the running one or one of the newest of its family, "" where none does.

    Raises `AwsUnavailable`.
    """
    family = short(running).rpartition(":")[0]
    listed = ecs.list_task_definitions(familyPrefix=family, sort="DESC", maxResults=_INSPECTED)
    found = [each for each in listed["taskDefinitionArns"] if short(each).rpartition(":")[0] == family]
    inspected = dict.fromkeys([running, *found])
    inspected.pop(but, None)
    return next((each for each in inspected if _carries(describe_definition(ecs, each), reason)), "")


def spent_finding(stack: str, revision: str) -> str:
    """What a spent repair that is still configured is reported as."""
    return (
        f"the repair was spent by {short(revision)}: remove atlas-access:repair from Pulumi.{stack}.yaml, or state "
        "the reason of a new one"
    )


def tagged(definition: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The definition to register, with the repair's tag where there is a repair."""
    if not reason:
        return dict(definition)
    others = [each for each in definition.get("tags") or () if each["key"] != TAG]
    return {**definition, "tags": [*others, {"key": TAG, "value": clean(reason)}]}


def _carries(definition: Mapping[str, Any], reason: str) -> bool:
    return tags_of(definition).get(TAG) == clean(reason)
