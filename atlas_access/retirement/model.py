"""The conditions of a retirement, with three answers each, and the evidence that shows them. Unknown never passes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from atlas_access.base import Finding, HeldRole, Status, Step

TOMBSTONE_ROLE = "atlas_access_tombstone"
"""The role that a tombstoned user holds instead of its own."""

TOMBSTONE_ACTION, TOMBSTONE_DATABASE, TOMBSTONE_COLLECTION = "FIND", "atlas_access_tombstone", "nothing"
"""What that role grants: Atlas refuses a role without any action, so it may read one collection that nobody has."""

TOMBSTONED = HeldRole(TOMBSTONE_ROLE, "admin")
CONDITIONS = (
    "no_legacy_bound_revision",
    "three_completed_deployments",
    "drift_clean",
    "smoke_gates_green",
    "phases_verified_24h",
    "no_legacy_login",
    "typed_confirmation",
)
"""The conditions of phase G, in the order in which they are shown."""

SOAKED = "tombstone_soaked"
TERRAFORM = "terraform_lets_go_of_secrets"
"""The condition that the second step has besides."""

SLOW_TO_ASK = ("drift_clean", "smoke_gates_green")
FRESH_SECONDS = 600.0
DEPLOYMENTS = 3
CLOCK_TOLERANCE_SECONDS = 300.0


_WORDS = {Status.GOOD: "met", Status.BAD: "unmet", Status.UNKNOWN: "unknown"}


class Condition(Finding):
    """The finding of one condition, its subject: what shows it, and the remedy where it is not met."""

    @property
    def met(self) -> bool:
        """Whether it is shown to hold."""
        return self.status is Status.GOOD

    def __str__(self) -> str:
        shown = f"{_WORDS[self.status]:<7} {self.subject}: {self.message}"
        return f"{shown}. {self.remedy}" if self.remedy and not self.met else shown


def met(name: str, evidence: str) -> Condition:
    """A condition that holds."""
    return Condition(Status.GOOD, name, evidence)


def unmet(name: str, evidence: str, remedy: str) -> Condition:
    """A condition that does not hold."""
    return Condition(Status.BAD, name, evidence, remedy)


def unknown(name: str, evidence: str, remedy: str) -> Condition:
    """A condition of which nobody knows whether it holds."""
    return Condition(Status.UNKNOWN, name, evidence, remedy)


def open_ones(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Those that do not pass."""
    return tuple(each for each in conditions if not each.met)


def evidence_json(stack: str, step: Step, at: float, conditions: Sequence[Condition]) -> str:
    """The evidence as the policy pack reads it; `at` is Unix seconds."""
    return json.dumps(
        {
            "stack": stack,
            "step": step.value,
            "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
            "conditions": [
                {
                    "name": each.subject,
                    "met": each.met,
                    "standing": _WORDS[each.status],
                    "evidence": each.message,
                }
                for each in conditions
            ],
        },
        sort_keys=True,
    )


def fresh_from(evidence: str, stack: str, step: Step, now: float) -> tuple[Condition, ...]:
    """The conditions of an evidence that take long to ask, where all of it is met and not older than ten minutes.

    Anything else, a clock that went back and a text that is no evidence included, gives none: they are asked again.
    """
    try:
        document = json.loads(evidence)
        age = now - datetime.fromisoformat(document["at"]).timestamp()
        listed = document["conditions"]
        mine = (document["stack"], document["step"]) == (stack, step.value)
        whole = all(each["met"] is True for each in listed)
        found = tuple(met(str(each["name"]), str(each["evidence"])) for each in listed)
    except (ValueError, KeyError, TypeError):
        return ()
    fresh = mine and whole and -1.0 < age < FRESH_SECONDS
    return tuple(each for each in found if fresh and each.subject in SLOW_TO_ASK)


def lasted(seconds: float) -> str:
    """A span of time as people say it, cut and never rounded up: 23 h 59 min is not 24 h."""
    minutes = int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"
