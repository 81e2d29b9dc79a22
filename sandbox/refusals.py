"""The errors that are a person's to mend: wrong inputs, and a sandbox that cannot do what was asked.

Each says in its message what is wrong with what, and the way out. It must never hold an error that hides a defect.
"""

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
