"""Maps container images and commands to commands of this machine: the demo application or this project."""

import sys
from collections.abc import Sequence

from sandbox.app.builds import Build

_APPLICATION = "askflorence/app"
_ENSURE_INDEXES = ("node", "scripts/db/ensure-indexes.js")
_PROGRAMS = {
    "python": (sys.executable,),
    "python3": (sys.executable,),
    "atlas-access": (sys.executable, "-m", "atlas_access.cli.main"),
}


class CannotStart(Exception):
    """A container's command is not in its image; the message is ECS's stop reason."""


def command_of(image: str, command: Sequence[str]) -> tuple[str, ...]:
    """Return the command to run for a container. Raises `CannotStart`."""
    if image.rpartition(":")[0].endswith(_APPLICATION) or image.endswith(_APPLICATION):
        if not command:
            return (sys.executable, "-m", "sandbox.app.task", Build.of_image(image).value)
        if tuple(command) == _ENSURE_INDEXES:
            return (sys.executable, "-m", "sandbox.app.ensure_indexes")
    program = _PROGRAMS.get(command[0]) if command else None
    if program is None:
        named = f'exec: "{command[0]}": executable file not found' if command else "no command specified"
        raise CannotStart(f"CannotStartContainerError: Error response from daemon: {named}")
    return (*program, *command[1:])
