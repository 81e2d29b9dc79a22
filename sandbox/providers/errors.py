"""The providers' exceptions: one line, with the real providers' wording."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sandbox.values import Properties


class ProviderError(Exception):
    """A failure, described in one line without secret values."""


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Say what was being done when something failed."""
    try:
        yield
    except ProviderError as error:
        raise ProviderError(f"{what}: {error}") from error


@dataclass
class PartlyCreated(Exception):
    """A resource exists, but a later step failed: the engine must keep its `id` and known outputs."""

    id: str
    state: Properties = field(repr=False)
    reason: str

    def __str__(self) -> str:
        return self.reason
