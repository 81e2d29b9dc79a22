"""The inventory from which a migration starts: users, roles, secrets and task families, read from `inventory.yaml`."""

from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from atlas_access.base import read_yaml

Consumer = Literal["service", "schema_task"]
Address = Literal["public", "private"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InventorySecret(_Record):
    """A secret that holds a user's connection string, in the account of `environment`; `options` are its own."""

    environment: str
    name: str
    variable: str
    consumer: Consumer = "service"
    address: Address = "public"
    options: str = ""


class InventoryUser(_Record):
    """A database user of one project; `role` is a custom role's name, or a built-in one as role@database.

    One that is `scoped` is limited to its project's cluster.
    """

    name: str
    environment: str
    role: str
    secrets: tuple[InventorySecret, ...]
    description: str | None = None
    labels: Mapping[str, str] = {}
    scoped: bool = False

    @property
    def role_name(self) -> str:
        """The role without its database."""
        return self.role.partition("@")[0]

    @property
    def role_database(self) -> str:
        """The database it is granted on: custom roles live in admin."""
        return self.role.partition("@")[2] or "admin"


class InventoryEnvironment(_Record):
    """One environment's Atlas project and AWS account."""

    name: str
    project_id: str
    cluster: str
    account: str
    region: str
    kms_alias: str
    running_revision: int


class OtherSecret(_Record):
    """A secret of the service that has nothing to do with MongoDB."""

    name: str
    variable: str


class CircuitBreaker(_Record):
    """The service's deployment circuit breaker."""

    enable: bool
    rollback: bool


class EcsInventory(_Record):
    """Names and settings of the service, with `{env}` where an environment's name belongs."""

    cluster: str
    service: str
    runtime_family: str
    schema_family: str
    desired_count: int
    circuit_breaker: CircuitBreaker
    image: str
    environment: Mapping[str, str]
    mail_identity: str
    other_secret: OtherSecret


class Inventory(_Record):
    """All of it. `roles` maps a custom role to its actions and their collections."""

    database: str
    roles: Mapping[str, Mapping[str, tuple[str, ...]]]
    environments: tuple[InventoryEnvironment, ...]
    ecs: EcsInventory
    users: tuple[InventoryUser, ...]

    @classmethod
    def load(cls) -> "Inventory":
        """Read the inventory that comes with the sandbox."""
        document: Any = read_yaml(
            files("sandbox").joinpath("inventory.yaml").read_bytes(), "inventory.yaml"
        ).data
        document["environments"] = [{"name": n, **e} for n, e in document["environments"].items()]
        document["users"] = [
            {"name": name, "environment": environment, **user}
            for environment, users in document["users"].items()
            for name, user in users.items()
        ]
        return cls.model_validate(document)

    @cached_property
    def by_name(self) -> dict[str, InventoryEnvironment]:
        """The environments by name."""
        return {environment.name: environment for environment in self.environments}

    def users_of(self, environment: str) -> tuple[InventoryUser, ...]:
        """Return the users of an environment's project."""
        return tuple(user for user in self.users if user.environment == environment)

    def secrets_in(self, environment: str) -> tuple[tuple[InventoryUser, InventorySecret], ...]:
        """Return the secrets of an environment's account, each with the user whose connection string it holds."""
        return tuple((u, s) for u in self.users for s in u.secrets if s.environment == environment)
