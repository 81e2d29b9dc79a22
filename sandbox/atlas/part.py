"""The Atlas side of a sandbox: both projects with new keys and the inventory's legacy users."""

import secrets
import string
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from sandbox.atlas import AtlasEmulator, EmulatorError, ProjectSpec
from sandbox.atlas.auth import Credential
from sandbox.atlas.models import Action, CustomRole, Label, NewUser, Resource, RoleGrant, Scope
from sandbox.atlas.project import Project
from sandbox.chance import Chance
from sandbox.inventory import Inventory
from sandbox.mongod.process import MongodProcess
from sandbox.ports import HOST
from sandbox.world import ENVIRONMENTS, AtlasKey, Options

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 32
_BY_HAND = Credential("ops-laptop", "", "")
_OPTIONS = "retryWrites=true&w=majority&authSource=admin&directConnection=true"


class AtlasPart:
    """The emulator for both `mongod`s; `start` makes the legacy users, `keys` sign in to each project."""

    def __init__(
        self,
        options: Options,
        inventory: Inventory,
        servers: Mapping[str, MongodProcess],
        private_address: str,
        chance: Chance | None = None,
    ) -> None:
        self._estate = inventory
        self._passwords = new_passwords(inventory)
        self._addresses = {(name, "public"): f"{HOST}:{servers[name].port}" for name in ENVIRONMENTS}
        self._addresses["staging", "private"] = private_address
        self.keys = {name: _new_key() for name in ENVIRONMENTS}
        specs = [self._spec(name, servers[name]) for name in ENVIRONMENTS]
        self.emulator = AtlasEmulator(specs, options.propagation_seconds, chance=chance)

    def start(self, port: int = 0) -> str:
        """Listen, make the legacy users and roles, and return the URL. Raises `EmulatorError`."""
        url = self.emulator.start(port)
        for environment in ENVIRONMENTS:
            project = self.emulator.project(self._estate.by_name[environment].project_id)
            make_users(project, self._estate, environment, self._passwords)
        return url

    def strings(self, environment: str) -> dict[str, str]:
        """Return the Mongo secrets of an environment's account: connection strings by secret name."""
        found = {}
        for user, secret in self._estate.secrets_in(environment):
            login = f"{user.name}:{self._passwords[user.environment, user.name].get_secret_value()}"
            address = self._addresses[user.environment, secret.address]
            options = "&".join(filter(None, (_OPTIONS, secret.options)))
            found[secret.name] = f"mongodb://{login}@{address}/{self._estate.database}?{options}"
        return found

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


def new_passwords(inventory: Inventory) -> dict[tuple[str, str], SecretStr]:
    """Return a password of 32 letters and digits for every legacy user, by environment and name."""
    return {
        (user.environment, user.name): SecretStr("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))
        for user in inventory.users
    }


def make_users(
    project: Project, inventory: Inventory, environment: str, passwords: Mapping[tuple[str, str], SecretStr]
) -> None:
    """Create an environment's legacy roles, then users, in `mongod`. Raises `EmulatorError` on a timeout."""
    delay, project.propagation.seconds = project.propagation.seconds, 0.0
    try:
        custom = [user.role for user in inventory.users_of(environment) if "@" not in user.role]
        for name in dict.fromkeys(custom):
            actions = tuple(
                Action(
                    action=action,
                    resources=tuple(Resource(db=inventory.database, collection=c) for c in where),
                )
                for action, where in inventory.roles[name].items()
            )
            project.add_role(CustomRole(role_name=name, actions=actions), _BY_HAND)
        scope = (Scope(name=project.spec.cluster_name, type="CLUSTER"),)
        for user in inventory.users_of(environment):
            grant = RoleGrant(role_name=user.role_name, database_name=user.role_database)
            password = passwords[environment, user.name]
            made = NewUser(
                username=user.name,
                database_name="admin",
                group_id=project.spec.project_id,
                roles=(grant,),
                password=password,
                description=user.description,
                labels=tuple(Label(key=key, value=value) for key, value in user.labels.items()),
                scopes=scope if user.scoped else (),
            )
            project.add_user(made, _BY_HAND)
        settled = project.propagation.settle()
    finally:
        project.propagation.seconds = delay
    if not settled:
        raise EmulatorError(
            f"the mongod of cluster {project.spec.cluster_name} has not taken the legacy users: see its log"
        )
