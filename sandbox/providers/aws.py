"""The aws provider."""

from collections.abc import Mapping

from sandbox.providers.aws_role_policy import ROLE_POLICY
from sandbox.providers.aws_secret import SECRET
from sandbox.providers.aws_secret_version import SECRET_VERSION
from sandbox.providers.aws_session import SETTINGS, AwsClients, AwsSession
from sandbox.providers.aws_task_definition import TASK_DEFINITION
from sandbox.providers.resource import ProviderDefinition


def definition(environment: Mapping[str, str]) -> ProviderDefinition[AwsSession]:
    """The aws provider for a stack's environment."""
    clients = AwsClients(environment)
    return ProviderDefinition(
        name="aws",
        version="7.51.1",
        settings=SETTINGS,
        configure=lambda settings: AwsSession(clients, settings),
        resources=(SECRET, SECRET_VERSION, ROLE_POLICY, TASK_DEFINITION),
    )
