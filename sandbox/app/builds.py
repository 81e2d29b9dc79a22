"""The application's builds, and the environment variables that each build reads for each database.

`legacy` reads the deprecated variables and falls back from the reference database to MONGODB_URI silently (ENG-271).
`current` reads exactly the four variables of ADR 0006. `broken` is `current` with a wrong provider check; `crashing`
exits during startup.
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
    """Return the first variable of a use that is set; raises `VariableUnset`."""
    names = (_DEPRECATED if build is Build.LEGACY else _FOUR)[use]
    for name in names:
        if environment.get(name):
            return name
    raise VariableUnset(f"{' or '.join(names)} is not set")
