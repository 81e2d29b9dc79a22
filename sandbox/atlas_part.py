"""The Atlas side of a sandbox: both projects with new keys and the inventory's legacy users."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from sandbox.atlas import AtlasEmulator, ProjectSpec
from sandbox.estate import Estate
from sandbox.legacy_users import connection_strings, make_users, new_passwords
from sandbox.mongod import MongodProcess
from sandbox.ports import HOST
from sandbox.world import ENVIRONMENTS, AtlasKey, Options


class AtlasPart:
    """The emulator for both `mongod`s; `start` makes the legacy users, `keys` sign in to each project."""

    def __init__(
        self, options: Options, estate: Estate, servers: Mapping[str, MongodProcess], private_address: str
    ) -> None:
        self._estate = estate
        self._passwords = new_passwords(estate)
        self._addresses = {(name, "public"): f"{HOST}:{servers[name].port}" for name in ENVIRONMENTS}
        self._addresses["staging", "private"] = private_address
        self.keys = {name: _new_key() for name in ENVIRONMENTS}
        specs = [self._spec(name, servers[name]) for name in ENVIRONMENTS]
        self._emulator = AtlasEmulator(specs, options.propagation_seconds)

    @property
    def url(self) -> str:
        """The emulator's base URL."""
        return self._emulator.url

    def start(self, port: int = 0) -> str:
        """Listen, make the legacy users and roles, and return the URL. Raises `EmulatorError`."""
        url = self._emulator.start(port)
        for environment in ENVIRONMENTS:
            project = self._emulator.project(self._estate.by_name[environment].project_id)
            make_users(project, self._estate, environment, self._passwords)
        return url

    def stop(self) -> None:
        """Stop listening."""
        self._emulator.stop()

    def strings(self, environment: str) -> dict[str, str]:
        """Return the Mongo secrets of an environment's account: connection strings by secret name."""
        return connection_strings(self._estate, environment, self._addresses, self._passwords)

    def _spec(self, environment: str, server: MongodProcess) -> ProjectSpec:
        here, key = self._estate.by_name[environment], self.keys[environment]
        return ProjectSpec(
            project_id=here.project_id,
            name=here.cluster,
            cluster_name=here.cluster,
            mongod_uri=server.root_uri,
            public_address=self._addresses[environment, "public"],
            private_address=self._addresses.get((environment, "private")),
            public_key=key.public,
            private_key=key.private,
            client_id=key.client_id,
            client_secret=key.client_secret,
            mongod_log=Path(server.log_path),
        )


def _new_key() -> AtlasKey:
    """Return random credentials in Atlas's forms."""
    private = "-".join(secrets.token_hex(n) for n in (4, 2, 2, 2, 6))
    client = f"mdb_sa_id_{secrets.token_hex(12)}"
    letters = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(8))
    return AtlasKey(letters, private, client, f"mdb_sa_sk_{secrets.token_urlsafe(30)}")
