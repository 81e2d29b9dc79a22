"""The phases of a stack's life, the two steps of `retire`, and what a person types to confirm them."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """How far the stack's life has gone."""

    PROVISION = "provision"
    BIND = "bind"
    RETIRE = "retire"


class Step(StrEnum):
    """The two reviewed steps: roles taken away (reversible), then everything removed (not reversible)."""

    TOMBSTONE = "tombstone"
    DELETE = "delete"


class RotationStep(StrEnum):
    """The steps of a rotation, each a reviewed change; the two that revoke are for a credential that leaked."""

    MOVE = "move"
    FINISH = "finish"
    ABORT = "abort"
    REVOKE = "revoke"
    REVOKE_NOW = "revoke-now"


def confirmation_for(stack: str) -> str:
    """What a person types to confirm: it names the stack, so that another stack's cannot be meant."""
    return f"retire {stack}"


VERIFIED_HOURS = 24
