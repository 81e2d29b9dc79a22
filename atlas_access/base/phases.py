"""The two steps of the phase `retire`, and what a person types to confirm them."""

from __future__ import annotations

from enum import StrEnum


class Step(StrEnum):
    """The two reviewed steps: roles taken away (reversible), then everything removed (not reversible)."""

    TOMBSTONE = "tombstone"
    DELETE = "delete"


def confirmation_for(stack: str) -> str:
    """What a person types to confirm: it names the stack, so that another stack's cannot be meant."""
    return f"retire {stack}"


VERIFIED_HOURS = 24
