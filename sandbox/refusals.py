"""The errors that are a person's to mend: wrong inputs, and a sandbox that cannot do what was asked.

Each says in its message what is wrong with what, and the way out. It must never hold an error that hides a defect.
"""

from access.endpoints import EndpointRefused
from access.inputs import InputsInvalid
from access.manifest import ManifestInvalid
from access.settings import SettingsInvalid
from sandbox.world import SandboxError

REFUSALS: tuple[type[Exception], ...] = (
    EndpointRefused,
    InputsInvalid,
    ManifestInvalid,
    SandboxError,
    SettingsInvalid,
)
