"""The servers' own answer to who-can, in sentences and as data; beside it what the manifest declares.

It must never turn a user that could not be asked into one that cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from atlas_access.review.who_can import Answer


@dataclass(frozen=True)
class Said:
    """What a server said of one user: can it (None: not asked, and why), and by which roles."""

    user: str
    secret: str
    can: bool | None
    roles: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class LiveAnswer:
    """Who can do it on one environment's cluster, by the server, and by the manifest."""

    environment: str
    declared: Answer
    said: tuple[Said, ...]

    @property
    def able(self) -> tuple[str, ...]:
        """The users that can, each once."""
        return tuple(dict.fromkeys(each.user for each in self.said if each.can))

    @property
    def undeclared(self) -> tuple[str, ...]:
        """Those of them that the manifest does not declare able."""
        holders = {each.user for each in self.declared.holders if each.environment == self.environment}
        return tuple(user for user in self.able if user not in holders)

    @property
    def unasked(self) -> tuple[Said, ...]:
        """The users of whom nothing is known."""
        return tuple(each for each in self.said if each.can is None)


def lines(answer: LiveAnswer, legacy: Sequence[str] = ()) -> Iterator[str]:
    """The answer in lines: first who can, then how, then who else is undeclared or was not asked."""
    action, place = answer.declared.action, answer.declared.place
    if answer.able or not answer.unasked:
        able = ", ".join(answer.able) or "Nobody"
        yield f"{able} can {action} on {place}, says {answer.environment}'s server."
    else:
        yield f"Unknown who can {action} on {place}: {len(answer.unasked)} could not be asked."
    for each in answer.said:
        if each.can:
            yield f"  {each.user}, by {', '.join(each.roles)}; from {each.secret}"
    for user in answer.undeclared:
        reason = "a legacy user, to be retired" if user in legacy else "access.yaml does not declare it"
        yield f"  Beyond the manifest: {user} ({reason})"
    for each in answer.unasked:
        roles = f", holds {', '.join(each.roles)}" if each.roles else ""
        yield f"  Not asked: {each.user}{roles}: {each.why}"


def as_data(answer: LiveAnswer) -> dict[str, Any]:
    """The same facts for machines."""
    return {
        "environment": answer.environment,
        "able": list(answer.able),
        "undeclared": list(answer.undeclared),
        "said": [
            {
                "user": each.user,
                "secret": each.secret,
                "can": each.can,
                "roles": list(each.roles),
                "why": each.why,
            }
            for each in answer.said
        ],
    }
