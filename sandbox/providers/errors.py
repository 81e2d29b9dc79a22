"""What a provider says when it refuses or fails: one line, worded as the real providers word it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.values import Properties


class ProviderError(Exception):
    """A failure that the user of the provider is told in one line. Never holds a secret value."""


@dataclass
class PartlyCreated(Exception):
    """A resource exists, but a later step failed: the engine must keep it in its state.

    Attributes:
        id: the resource's id.
        state: its outputs as far as they are known.
        reason: what failed, in one line.
    """

    id: str
    state: Properties = field(repr=False)
    reason: str

    def __str__(self) -> str:
        return self.reason
