"""The configuration of an emulated project, and the ids derived from it; the same at every start."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sandbox.atlas.auth import Credential

ORGANIZATION = "5f0c1a2b3d4e5f6071829304"


def stable_id(*parts: str) -> str:
    """Return 24 hexadecimal digits that depend on nothing but the parts."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class ProjectSpec:
    """One project with its one cluster, its server and the credentials that may sign in.

    `public_address` and `private_address` are host:port as clients reach the server; without the latter the project
    has no private endpoint. `mongod_log` feeds the access history. The read-only key may read but not change.
    """

    project_id: str
    name: str
    cluster_name: str
    mongod_uri: str = field(repr=False)
    public_address: str
    public_key: str
    private_key: str = field(repr=False)
    private_address: str | None = None
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    read_only_public_key: str = ""
    read_only_private_key: str = field(default="", repr=False)
    mongod_log: Path | None = None
    region: str = "US_EAST_1"

    @property
    def reserved_users(self) -> tuple[str, ...]:
        """The names that no database user may take and no history shows: the emulator's own."""
        return (unquote(urlsplit(self.mongod_uri).username or ""),)

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """Every credential of the project."""
        ours = self.project_id
        given = (
            Credential(self.public_key, self.private_key, ours),
            Credential(self.client_id, self.client_secret, ours, "service account"),
            Credential(self.read_only_public_key, self.read_only_private_key, ours, read_only=True),
        )
        return tuple(credential for credential in given if credential.name)
