"""Records that every observation shares: what could not be read, and a role as somebody holds it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unread:
    """A part that could not be read: what it is, and why, in one plain line without a secret."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, order=True)
class HeldRole:
    """A role as a user or another role holds it; Atlas can narrow a built-in one to a collection."""

    name: str
    database: str
    collection: str = ""

    def __str__(self) -> str:
        return f"{self.name}@{self.database}{f'.{self.collection}' if self.collection else ''}"


REVOKED = HeldRole("read", "atlas_access_revoked")
"""What a revoked login holds: Atlas refuses a user without a role, so it may read a database that nobody has."""
