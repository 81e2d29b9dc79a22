"""The two files that a deployment is made of, judged together: whoever mends one also sees what is wrong in the other.

Pure.
"""

from collections.abc import Callable

from atlas_access.base import ManifestInvalid, Settings, SettingsInvalid
from atlas_access.manifest.model import Manifest


class InputsInvalid(ValueError):
    """The manifest and the stack's settings are both refused; the message holds every mistake of both."""


def judged(manifest: Callable[[], Manifest], settings: Callable[[], Settings]) -> tuple[Manifest, Settings]:
    """What both give.

    Raises:
        ManifestInvalid, SettingsInvalid: when one of them is refused.
        InputsInvalid: when both are.
    """
    try:
        declared = manifest()
    except ManifestInvalid as refused:
        try:
            settings()
        except SettingsInvalid as also:
            raise InputsInvalid(f"{refused}\n{also}") from None
        raise
    return declared, settings()
