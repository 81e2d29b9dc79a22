"""The errors that are a person's to mend: wrong inputs, and a sandbox that cannot do what was asked.

Each says in its message what is wrong with what, and the way out. It must never hold an error that hides a defect.
"""

from atlas_access.base.endpoints import EndpointRefused
from atlas_access.base.settings import SettingsInvalid
from atlas_access.manifest.inputs import InputsInvalid
from atlas_access.manifest.load import ManifestInvalid
from sandbox.world import SandboxError

REFUSALS: tuple[type[Exception], ...] = (
    EndpointRefused,
    InputsInvalid,
    ManifestInvalid,
    SandboxError,
    SettingsInvalid,
)
