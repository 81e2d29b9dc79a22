"""The providers' exceptions, in one line with the real providers' wording, and the settings that they refuse."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from atlas_access.base import EndpointRefused, Endpoints
from sandbox.engine.values import Properties

_HERE: Final = "http://127.0.0.1"
_GUARD: Final = Endpoints(sandbox=True, aws=_HERE, atlas=_HERE, smoke=_HERE, contacts=_HERE, github=_HERE)
"""The overlay in sandbox mode, whatever mode the environment asks for: these providers have no other."""


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


def required(environment: Mapping[str, str], *names: str) -> str:
    """The first of the named variables that is set; raises ProviderError naming them when none is."""
    for name in names:
        if environment.get(name):
            return environment[name]
    raise ProviderError(f"{' or '.join(names)} is not set: the sandbox's providers need it")


def loopback(environment: Mapping[str, str], name: str) -> str:
    """The named variable's URL, without a slash at its end, if its host is this machine; raises ProviderError."""
    try:
        return _GUARD.permit(required(environment, name)).rstrip("/")
    except EndpointRefused as refused:
        raise ProviderError(f"{name}: {refused}") from refused
