"""The errors that a user can fix; each message names the problem and its remedy."""

from atlas_access.base import EndpointRefused, ManifestInvalid, SettingsInvalid
from atlas_access.manifest import InputsInvalid
from sandbox.world import SandboxError

REFUSALS: tuple[type[Exception], ...] = (
    EndpointRefused,
    InputsInvalid,
    ManifestInvalid,
    SandboxError,
    SettingsInvalid,
)
