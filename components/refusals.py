"""The mistakes and findings that end a program in plain sentences, never in a traceback."""

from access.addresses import AddressMissing
from access.connection import ConnectionInvalid
from access.endpoints import EndpointRefused
from access.inputs import InputsInvalid
from access.manifest import ManifestInvalid
from access.settings import SettingsInvalid
from access.task_definition import DefinitionUnusable
from components.observed import WrongAccount
from probes.aws import AwsUnavailable

#: Each says in its message what is wrong with what, and the way out.
REFUSALS = (
    AddressMissing,
    AwsUnavailable,
    ConnectionInvalid,
    DefinitionUnusable,
    EndpointRefused,
    InputsInvalid,
    ManifestInvalid,
    SettingsInvalid,
    WrongAccount,
)
