"""The mistakes and findings that end a program in plain sentences, never in a traceback."""

from atlas_access.base import (
    AddressMissing,
    ConnectionInvalid,
    DefinitionUnusable,
    EndpointRefused,
    ManifestInvalid,
    SettingsInvalid,
)
from atlas_access.clients import AwsUnavailable
from atlas_access.manifest import InputsInvalid
from components.observed import IllegalGeneration, SecretsLeaving, WrongAccount

#: Each says in its message what is wrong with what, and the remedy.
REFUSALS = (
    AddressMissing,
    AwsUnavailable,
    ConnectionInvalid,
    DefinitionUnusable,
    EndpointRefused,
    IllegalGeneration,
    InputsInvalid,
    ManifestInvalid,
    SecretsLeaving,
    SettingsInvalid,
    WrongAccount,
)
