"""What a retirement says at its end: what was done or refused, with every condition's evidence, and the remedy. Pure.

Every text passes redaction here: findings may quote what a system wrote.
"""

from __future__ import annotations

from collections.abc import Sequence

from atlas_access.base import redact
from atlas_access.drift import moment
from atlas_access.retirement.journal import Stage
from atlas_access.retirement.model import Condition
from atlas_access.retirement.steps import Done, End, Goal, NotGreen, Refused, Restored, Way


class RetirementRefused(RuntimeError):
    """A retirement or a restore did not reach its goal; the message says why, what was lost (nothing), what to do.

    `exit_code` is 1, and 3 where it is not known what was done.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(redact(message))
        self.exit_code = exit_code


def end_message(goal: Goal, end: End) -> str:
    """The text of an end."""
    match end:
        case Done():
            lines = _done(goal, end)
        case Refused(reasons, conditions):
            lines = refused(goal.stack, goal.way, reasons, conditions)
        case Restored(cause):
            lines = [
                f"RESTORED  {goal.stack}: {cause}; every legacy user has its recorded roles again.",
                "Nothing was deleted. Fix the cause, then update again.",
            ]
        case NotGreen(failures):
            lines = [
                f"RETIRED, GATES RED  {goal.stack}: {'; '.join(failures)}",
                "Legacy users, roles and secrets are gone and do not come back. What runs is bound to the new ones:",
                f"  atlas-access prove {goal.stack}; atlas-access smoke {goal.stack}; then update again",
            ]
    first, *rest = lines
    return redact("\n".join([first, *(f"  {line}" for line in rest)]))


def refused(stack: str, way: Way, reasons: Sequence[str], conditions: Sequence[Condition]) -> list[str]:
    """A refusal: every reason, then what is met, so that a person sees the whole gate."""
    head = {
        Way.TOMBSTONE: "NOT TOMBSTONED",
        Way.DELETE: "NOT DELETED",
        Way.RESTORE: "NOT RESTORED",
    }[way]
    open_count = len(reasons)
    count = "1 reason" if open_count == 1 else f"{open_count} reasons"
    shown = [str(each) for each in conditions if each.met]
    return [
        f"{head}  {stack}: {count}; no legacy user, role or secret was touched by this.",
        *reasons,
        *shown,
    ]


def unknown(goal: Goal, why: str) -> str:
    """The text of a run of which nobody knows how far it came: the journal says where the next one continues."""
    return redact(
        f"NOT KNOWN  {goal.stack}: {why}\n"
        "  The tags atlas-access/retire on the service say what was begun last; update again: it continues there."
    )


def _done(goal: Goal, done: Done) -> list[str]:
    kept = [f"role {role} stays: {why}" for role, why in done.kept.items()]
    if done.stage is Stage.NONE:
        return [f"{goal.stack}: every legacy user has its recorded roles; nothing is tombstoned", *kept]
    if done.stage is Stage.DELETED:
        gone = f"{len(goal.users)} legacy users, {len(goal.roles)} roles and {len(goal.secrets)} secrets are gone"
        return [f"{goal.stack}: {gone} (secrets can be restored for 30 days)", *kept]
    already = "" if done.moved else ", as before"
    return [
        f"{goal.stack}: {len(goal.users)} legacy users are tombstoned since {moment(done.since or 0.0)}{already}",
        f"Reversible: atlas-access legacy restore {goal.stack}",
    ]
