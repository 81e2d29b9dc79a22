"""Which build of the application an image holds, and which variable each build reads for what.

`legacy` is today's code: it knows the deprecated variables, and falls back from the reference database to
MONGODB_URI without a word (ENG-271). `current` reads the four variables of ADR 0006 and nothing else. `broken` is
`current` with a wrong answer to the provider check, `crashing` ends while it starts. Pure: it must never connect.
"""

from collections.abc import Mapping
from enum import StrEnum


class Build(StrEnum):
    """A build, as the tag of its image names it."""

    LEGACY = "legacy"
    CURRENT = "current"
    BROKEN = "broken"
    CRASHING = "crashing"

    @classmethod
    def of_image(cls, image: str) -> "Build":
        """Return the build of an image by its tag; a dated release such as `2026.5.7` is today's code."""
        tag = image.rpartition(":")[2]
        return cls(tag) if tag in set(cls) else cls.LEGACY


class Use(StrEnum):
    """What the application opens a database for."""

    READ = "read"
    REFERENCE = "reference"
    WAITLIST = "waitlist"
    SYNC = "sync"


class VariableUnset(LookupError):
    """A build needs a variable that its task does not have. The message names it."""


_FOUR: Mapping[Use, tuple[str, ...]] = {
    Use.READ: ("MONGODB_URI",),
    Use.REFERENCE: ("MONGODB_REFERENCE_URI",),
    Use.WAITLIST: ("MONGODB_WRITE_URI",),
    Use.SYNC: ("MONGODB_WRITE_URI",),
}
_DEPRECATED: Mapping[Use, tuple[str, ...]] = {
    Use.READ: ("MONGODB_URI",),
    Use.REFERENCE: ("MONGODB_REFERENCE_URI", "MONGODB_URI"),
    Use.WAITLIST: ("MONGODB_URI_WAITLIST_WRITE", "MONGODB_WRITE_URI"),
    Use.SYNC: ("MONGODB_URI_HUBSPOT_SYNC_WRITE", "MONGODB_WRITE_URI"),
}


def variable(build: Build, use: Use, environment: Mapping[str, str]) -> str:
    """Return the name of the variable that a build reads for a use: the first of its list that is set.

    Raises `VariableUnset`.
    """
    names = (_DEPRECATED if build is Build.LEGACY else _FOUR)[use]
    for name in names:
        if environment.get(name):
            return name
    raise VariableUnset(f"{' or '.join(names)} is not set")
