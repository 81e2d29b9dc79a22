"""Pulumi providers for the sandbox (aws, mongodbatlas, random) as gRPC servers on loopback.

They serve what the program uses and behave like the real providers of the pinned SDKs. An engine attaches by
`PULUMI_DEBUG_PROVIDERS`. They read nothing from the process's environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.providers import aws_session
from sandbox.providers.atlas_client import AtlasClient
from sandbox.providers.atlas_cluster import GET_ADVANCED_CLUSTER
from sandbox.providers.atlas_custom_role import CUSTOM_DB_ROLE
from sandbox.providers.atlas_database_user import DATABASE_USER
from sandbox.providers.aws_role_policy import ROLE_POLICY
from sandbox.providers.aws_secrets import SECRET, SECRET_VERSION
from sandbox.providers.aws_session import AwsClients, AwsSession
from sandbox.providers.aws_task_definition import TASK_DEFINITION
from sandbox.providers.random_password import RANDOM_PASSWORD
from sandbox.providers.resource import ProviderDefinition
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
    clients = AwsClients(environment)
    definitions: tuple[ProviderDefinition[Any], ...] = (
        ProviderDefinition(
            "aws",
            "7.51.1",
            lambda settings: AwsSession(clients, settings),
            (SECRET, SECRET_VERSION, ROLE_POLICY, TASK_DEFINITION),
            settings=aws_session.SETTINGS,
        ),
        ProviderDefinition(
            "mongodbatlas",
            "4.18.0",
            lambda _: AtlasClient(environment),
            (CUSTOM_DB_ROLE, DATABASE_USER),
            invokes=(GET_ADVANCED_CLUSTER,),
        ),
        ProviderDefinition("random", "4.21.4", lambda _: None, (RANDOM_PASSWORD,)),
    )
    return ProviderServers({one.name: ProviderServer(one) for one in definitions})
