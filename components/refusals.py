"""The mistakes and findings that end a program in plain sentences, never in a traceback."""

from atlas_access.base import (
    AddressMissing,
    ConnectionInvalid,
    DefinitionUnusable,
    EndpointRefused,
    ManifestInvalid,
    SettingsInvalid,
)
from atlas_access.clients import AtlasUnread, AwsUnavailable, CredentialsMissing
from atlas_access.manifest import InputsInvalid
from components.observed import IllegalGeneration, SecretsLeaving, WrongAccount
from components.taken_over import NotOurs

#: Each says in its message what is wrong with what, and the remedy.
REFUSALS = (
    AddressMissing,
    AtlasUnread,
    AwsUnavailable,
    ConnectionInvalid,
    CredentialsMissing,
    DefinitionUnusable,
    EndpointRefused,
    IllegalGeneration,
    InputsInvalid,
    ManifestInvalid,
    NotOurs,
    SecretsLeaving,
    SettingsInvalid,
    WrongAccount,
)
