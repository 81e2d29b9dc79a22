"""Which variables count: the manifest's, whatever they are called, and others by what their names say they hold.

Pure. `MONGODB_WAIT_ATTEMPTS` holds no credential; `DATABASE_URL` does where the manifest says so, or where code opens a
MongoDB connection with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from atlas_access.manifest import Manifest

VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{3,}[A-Z0-9]*")
"""A name as variables are written; `PORT` and `MONGODB_URI`, not `Uri`."""

CONNECTION = re.compile(r"(?i)mongodb(?:\+srv)?://|^(?:localhost|127\.0\.0\.1|mongo)(?::\d+)?$|:27017\b")
"""A literal that is a MongoDB address, or the beginning of one."""

_HOLDS = {"URI", "URIS", "URL", "DSN", "CONNECTION", "CONN", "CONNSTR"}
_HOLDS_LAST = {
    "USER", "USERNAME", "PASS", "PASSWORD", "PASSWD", "PWD", "HOST", "HOSTS", "HOSTNAME", "STRING", "SECRET",
}  # fmt: skip
_NO_CREDENTIAL_LAST = {
    "TIMEOUT", "MS", "SECONDS", "LIMIT", "FILE", "PATH", "PREFIX", "FIELD", "VARIABLE", "NAME", "COUNT", "SIZE",
    "ADDED", "UPDATED", "DELETED", "REQUIRED", "INVALID", "MISSING", "ERROR", "POOL", "VERSION", "RETRIES", "FAILED",
}  # fmt: skip
_PRODUCT = re.compile(r"MONGO(?:DB)?(?=URI|URL|_|$)|MONGO(?:OSE)?$")
_OTHER_PRODUCTS = re.compile(
    r"POSTGRES|MYSQL|MARIADB|REDIS|RABBIT|ELASTIC|MSSQL|ORACLE|CLICKHOUSE|ATLAS_|PGHOST"
)
_GENERIC = {
    "MONGO", "MONGODB", "URI", "URL", "DB", "DATABASE", "READ", "WRITE", "CONNECTION", "STRING", "DSN",
}  # fmt: skip


@lru_cache(maxsize=4096)
def suspected(name: str) -> bool:
    """Whether an undeclared variable's name says that it holds a MongoDB credential or a part of one."""
    glued = re.fullmatch(r"(.*)MONGO(?:DB)?(URI|URL)", name)
    words = name.split("_")
    product = any(_PRODUCT.fullmatch(word) for word in words) or glued is not None
    if not product or _OTHER_PRODUCTS.search(name) or words[-1] in _NO_CREDENTIAL_LAST:
        return False
    held = bool(_HOLDS & set(words)) or words[-1] in _HOLDS_LAST or words[-1].endswith("PASSWORD")
    return held or glued is not None


@dataclass(frozen=True)
class Names:
    """The manifest's variables: declared, deprecated with the one that succeeds each, and those that read across."""

    declared: tuple[str, ...] = ()
    deprecated: Mapping[str, str] = field(default_factory=dict)
    across: frozenset[str] = frozenset()

    def known(self, name: str) -> bool:
        """Whether the manifest names it."""
        return name in self.declared or name in self.deprecated

    def counts(self, name: str) -> bool:
        """Whether a variable holds a credential of MongoDB, by the manifest or by its name."""
        return self.known(name) or suspected(name)

    @cached_property
    def hint(self) -> re.Pattern[str]:
        """A name in code that says that it holds the connection that reads across."""
        words = {word for name in self.across for word in name.split("_")} - _GENERIC
        said = "|".join(sorted(re.escape(word) + ("|REF" if word == "REFERENCE" else "") for word in words))
        kinds = "db|database|client|conn|connection|pool|mongo"
        return re.compile(rf"(?i)^_?(?:get_?)?(?:{said})_?(?:{kinds})s?$" if said else r"$.")


def names_of(manifest: Manifest) -> Names:
    """What the manifest says of variables."""
    bound = [each for each in manifest.bindings if each.environment in manifest.environments]
    across = frozenset(each.variable for each in bound if each.cluster != each.environment)
    declared = tuple(dict.fromkeys(each.variable for each in manifest.bindings))
    return Names(declared, manifest.successors, across)
