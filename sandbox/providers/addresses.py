"""Restricts the providers to loopback addresses, taken from the stack's environment only."""

from collections.abc import Mapping
from typing import Final

from atlas_access.base import EndpointRefused, Endpoints
from sandbox.providers.errors import ProviderError

_HERE: Final = "http://127.0.0.1"
_GUARD: Final = Endpoints(sandbox=True, aws=_HERE, atlas=_HERE, smoke=_HERE, hubspot=_HERE, github=_HERE)
"""The overlay in sandbox mode, whatever mode the environment asks for: these providers have no other."""


def required(environment: Mapping[str, str], *names: str) -> str:
    """The first of the named variables that is set; raises ProviderError naming them when none is."""
    for name in names:
        if environment.get(name):
            return environment[name]
    raise ProviderError(f"{' or '.join(names)} is not set: the sandbox's providers need it")


def loopback(url: str, name: str) -> str:
    """The URL, without a slash at its end, if its host is this machine; raises ProviderError otherwise."""
    try:
        return _GUARD.permit(url).rstrip("/")
    except EndpointRefused as refused:
        raise ProviderError(f"{name}: {refused}") from refused
