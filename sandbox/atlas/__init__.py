"""The Atlas Admin API on loopback, as far as the providers and our client use it.

It answers with Atlas's media types, shapes and error codes, and makes real roles and users in the projects'
`mongod`s after a propagation delay. It must never keep, return or log a password beyond what it takes to make
the user, and never let one project's key touch another project.
"""

from sandbox.atlas.server import AtlasEmulator, EmulatorError
from sandbox.atlas.spec import ProjectSpec

__all__ = ["AtlasEmulator", "EmulatorError", "ProjectSpec"]
