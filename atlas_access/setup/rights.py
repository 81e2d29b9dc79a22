"""The rights that an update needs, each with the resources that it needs them on, and what IAM's simulation says. Pure.

A right is good only where IAM allows it on every resource. Source: AWS IAM API, EvaluationResult.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atlas_access.base import Finding, Status, worst

ALLOWED = "allowed"
REMEDY = "Grant it to the deployer, on the resources that docs/permissions.md names."
_ROWS = Path(__file__).with_name("rights.txt")

Resources = Mapping[str, Sequence[str] | str]
"""By the words of rights.txt: the resources' ARNs, none where the stack does not use them, or why nobody knows them."""

Decisions = Mapping[tuple[str, str], str]
"""By action and resource, IAM's decision; "missing CONTEXT KEYS" where the policies ask for more than was given."""


@dataclass(frozen=True)
class Right:
    """One action that a purpose needs on some resources."""

    purpose: str
    action: str
    on: str


def rights() -> tuple[Right, ...]:
    """Every right of rights.txt."""
    return tuple(_read(_ROWS.read_text(encoding="utf-8").splitlines()))


def _read(lines: Iterable[str]) -> Iterator[Right]:
    for line in lines:
        if line and not line.startswith("#"):
            purpose, actions, on = (part.strip() for part in line.split("|"))
            service, _, names = actions.partition(":")
            yield from (Right(purpose, f"{service}:{name}", on) for name in names.split())


def judge_rights(
    needed: Sequence[Right], resources: Resources, decisions: Decisions, why: str
) -> tuple[Finding, ...]:
    """A finding for each purpose with a right that is missing or unknown, and one that counts the others.

    `why` says why there are no decisions, "" where IAM was asked.
    """
    unclear: dict[tuple[Status, str, str], list[str]] = {}
    allowed = 0
    for each in needed:
        status, reason = _judge(each, resources[each.on], decisions, why)
        if status is not Status.GOOD:
            unclear.setdefault((status, each.purpose, reason), []).append(each.action)
        allowed += status is Status.GOOD and bool(resources[each.on])
    used = sum(bool(resources[each.on]) for each in needed)
    if why and used:
        return (Finding(Status.UNKNOWN, "rights", f"none of {used} simulated: {why}", _SIMULATE),)
    found = [
        Finding(status, f"rights for {purpose}", f"{', '.join(actions)}: {reason}", REMEDY)
        for (status, purpose, reason), actions in unclear.items()
    ]
    counted = f"{allowed} of {used} allowed, as IAM simulates the caller's own policies"
    return (Finding(worst([Status.GOOD, *(each.status for each in found)]), "rights", counted), *found)


_SIMULATE = "Allow iam:SimulatePrincipalPolicy and iam:GetRole on the deployer itself, or compare docs/permissions.md."


def _judge(
    right: Right, resources: Sequence[str] | str, decisions: Decisions, why: str
) -> tuple[Status, str]:
    if why:
        return Status.UNKNOWN, why
    if isinstance(resources, str):
        return Status.UNKNOWN, resources
    found = {decisions.get((right.action, resource), "no decision") for resource in resources} - {ALLOWED}
    if not found:
        return Status.GOOD, ""
    decision = min(found)  # explicitDeny, implicitDeny, then what is unknown
    if decision == "explicitDeny" or (decision == "implicitDeny" and not right.action.startswith("kms:")):
        return Status.BAD, f"{decision} ({right.on})"
    if decision == "implicitDeny":
        return (
            Status.UNKNOWN,
            "no policy of the caller allows it; whether the key's own policy does was not read",
        )
    return Status.UNKNOWN, f"IAM decided without all of the policies' conditions ({decision})"
