"""Pulumi resource providers for the sandbox: aws, mongodbatlas and random, as gRPC servers on loopback.

They serve the resource types and functions that the program uses, and behave, as far as the program and the engine
see it, like the real providers of the pinned SDKs. An engine attaches with `PULUMI_DEBUG_PROVIDERS`. They must never
reach a host that is not loopback, take anything from the process's environment, or put a secret into a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.providers import atlas, aws, random_password
from sandbox.providers.server import ProviderServer

__all__ = ["ProviderServers", "serve"]


@dataclass(frozen=True)
class ProviderServers:
    """The running providers of one stack.

    Attributes:
        servers: by package name.
    """

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
    """Start the providers of one stack.

    Args:
        environment: `AWS_ENDPOINT_URL`, AWS credentials and region, `MONGODB_ATLAS_BASE_URL` and Atlas credentials.
            It is looked at when an engine configures a provider: what is missing or not loopback is told then.
    """
    definitions = (aws.definition(environment), atlas.definition(environment), random_password.definition())
    return ProviderServers({one.name: ProviderServer(one) for one in definitions})
