"""Pulumi providers for the sandbox (aws, mongodbatlas, random) as gRPC servers on loopback.

They serve what the program uses and behave like the real providers of the pinned SDKs. An engine attaches by
`PULUMI_DEBUG_PROVIDERS`. They read nothing from the process's environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.providers import atlas, aws, random_password
from sandbox.providers.server import ProviderServer

__all__ = ["ProviderServers", "serve"]


@dataclass(frozen=True)
class ProviderServers:
    """The running providers of one stack, by package name."""

    servers: Mapping[str, ProviderServer]

    @property
    def ports(self) -> dict[str, int]:
        """The loopback port of each provider, by package name."""
        return {name: server.port for name, server in self.servers.items()}

    def stop(self) -> None:
        """Stop all of them; calls that run get a second to end."""
        for server in self.servers.values():
            server.stop()


def serve(environment: Mapping[str, str]) -> ProviderServers:
    """Start the providers of one stack; `environment` is checked when an engine configures a provider."""
    definitions = (aws.definition(environment), atlas.definition(environment), random_password.definition())
    return ProviderServers({one.name: ProviderServer(one) for one in definitions})
