"""The mistakes and findings that end a program in plain sentences, never in a traceback."""

from atlas_access.base.addresses import AddressMissing
from atlas_access.base.connection import ConnectionInvalid
from atlas_access.base.endpoints import EndpointRefused
from atlas_access.base.settings import SettingsInvalid
from atlas_access.base.task_definition import DefinitionUnusable
from atlas_access.clients.aws import AwsUnavailable
from atlas_access.manifest.inputs import InputsInvalid
from atlas_access.manifest.load import ManifestInvalid
from components.observed import WrongAccount

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
