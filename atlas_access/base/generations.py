"""The generations of database users: which login name each has, which is wanted, and which one leaves.

A user has two names by turns, so that the new credential stands beside the old one until nothing uses it
(docs/decisions/0011-two-names-by-turns.md). The first generation has the user's own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atlas_access.base.phases import RotationStep

SECOND = "_b"
"""What the second name of a user ends with."""


def login_of(user: str, generation: int) -> str:
    """The login name of a generation: the user's own for odd ones, the second for even ones."""
    return user if generation % 2 else f"{user}{SECOND}"


def both_logins(user: str) -> tuple[str, str]:
    """The two names that a user has by turns."""
    return user, f"{user}{SECOND}"


@dataclass(frozen=True)
class Generations:
    """What a stack's settings say of its users' generations; a user that they do not name is at its first.

    `rotating` is the user that rotates, "" for none, and `step` how far.
    """

    wanted: Mapping[str, int]
    rotating: str = ""
    step: RotationStep = RotationStep.MOVE

    def generation(self, user: str) -> int:
        """The generation that tasks are to receive."""
        return self.wanted.get(user, 1)

    def leaving(self, user: str) -> int | None:
        """The other generation of the user that rotates; None for every other user."""
        if not user or user != self.rotating:
            return None
        return self.generation(user) + (1 if self.step is RotationStep.ABORT else -1)

    @property
    def ends(self) -> bool:
        """Whether the rotation's other generation is to go, in this update or in a later one."""
        return bool(self.rotating) and self.step in (RotationStep.FINISH, RotationStep.ABORT)

    @property
    def revokes(self) -> bool:
        """Whether the other generation is to lose its roles."""
        return bool(self.rotating) and self.step in (RotationStep.REVOKE, RotationStep.REVOKE_NOW)

    def login(self, user: str) -> str:
        """The login name that tasks are to receive."""
        return login_of(user, self.generation(user))

    def logins(self, user: str) -> tuple[str, ...]:
        """The login names that may be there: the wanted one, and that of a generation that leaves."""
        leaving = self.leaving(user)
        return (self.login(user), *(() if leaving is None else (login_of(user, leaving),)))

    def shown(self, user: str) -> str:
        """The user as a person reads it: `app_read`, or `app_read (generation 2: app_read_b)`."""
        generation = self.generation(user)
        return user if generation == 1 else f"{user} (generation {generation}: {self.login(user)})"
