"""An Atlas Admin API emulator on loopback that creates real roles and users after a propagation delay."""

from sandbox.atlas.server import AtlasEmulator, EmulatorError
from sandbox.atlas.spec import ProjectSpec

__all__ = ["AtlasEmulator", "EmulatorError", "ProjectSpec"]
