"""The law as records: what each environment may have, who may hold it, and where a decision loosens a limit.

Rules ask these records and name no tenant themselves. An entry that needs a decision and lacks one is no part of what
the law allows: `objection` says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property

from policy.decisions import Decisions

MOST_USERS = 5
"""The most users of a cluster without a decision that allows more."""

READING = "read"
ORDINARY_ACTIONS = frozenset({"FIND", "INSERT", "CREATE_INDEX", "LIST_INDEXES", "DROP_INDEX"})
"""What a custom role may hold without a decision that allows more."""

CUSTOM_ROLE_DATABASE = "admin"
"""Atlas assigns custom roles as `role@admin` and refuses any other database (UNSUPPORTED_ROLE)."""

Grant = tuple[str, str, str]
"""One Atlas action on one collection: (action, database, collection)."""


@dataclass(frozen=True)
class UserLaw:
    """A database user: its roles as (name, database), and the variables that carry its credential."""

    name: str
    roles: tuple[tuple[str, str], ...]
    variables: frozenset[str]
    decision: str = ""


@dataclass(frozen=True)
class RoleLaw:
    """A custom role: exactly these grants."""

    name: str
    grants: frozenset[Grant]
    decision: str = ""


@dataclass(frozen=True)
class SecretLaw:
    """A secret: the user and the environment's cluster its value leads to, and the IAM roles that may read it."""

    name: str
    user: str
    cluster: str
    readers: frozenset[str]


@dataclass(frozen=True)
class ContainerLaw:
    """Variable to the secret it is bound to, and those that retire to their successors."""

    variables: Mapping[str, str]
    deprecated: Mapping[str, str]


@dataclass(frozen=True)
class TaskLaw:
    """A task-definition family: the roles it runs under, and each container that may receive credentials."""

    family: str
    execution_roles: frozenset[str]
    task_roles: frozenset[str]
    containers: Mapping[str, ContainerLaw]
    services: frozenset[str]
    schedulers: frozenset[str]


@dataclass(frozen=True)
class Waiver:
    """Grants that a decision accepts for one user (`permits`: Atlas actions)."""

    id: str
    user: str
    decision: str
    permits: frozenset[str]


@dataclass(frozen=True)
class Excepted:
    """A resource (`TYPE::NAME`) on which findings of one rule are accepted by a decision."""

    id: str
    resource: str
    rule: str
    decision: str


@dataclass(frozen=True)
class Environment:
    """What one environment owns (one Atlas project and one AWS account each): nothing of it appears in another."""

    name: str
    project: str
    account: str
    cluster: str
    key_alias: str
    keys: frozenset[str]
    database: str
    audit: tuple[str, str]
    audit_role: str
    secret_prefix: str
    variable_prefix: str
    users: Mapping[str, UserLaw]
    roles: Mapping[str, RoleLaw]
    secrets: Mapping[str, SecretLaw]
    tasks: Mapping[str, TaskLaw]
    legacy_users: frozenset[str] = frozenset()
    legacy_roles: frozenset[str] = frozenset()
    legacy_secrets: frozenset[str] = frozenset()
    outputs: Mapping[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """Output to the user whose credential it hands on, and the stacks that may receive it."""
    one_tenant: tuple[str, ...] = ()
    second_name: str = ""
    revoked_role: tuple[str, str] = ("", "")
    user_cap: int = MOST_USERS
    rotation_headroom: int = 0
    cap_decision: str = ""
    waivers: tuple[Waiver, ...] = ()

    @cached_property
    def readers(self) -> Mapping[str, frozenset[str]]:
        """IAM role to the names of the secrets it may read."""
        found: dict[str, set[str]] = {}
        for secret in self.secrets.values():
            for reader in secret.readers:
                found.setdefault(reader, set()).add(secret.name)
        return {role: frozenset(names) for role, names in found.items()}

    @cached_property
    def iam_roles(self) -> frozenset[str]:
        """Every IAM role that a family of ours runs under."""
        listed = (role for task in self.tasks.values() for role in task.execution_roles | task.task_roles)
        return frozenset(listed) | frozenset(self.readers)

    @cached_property
    def services(self) -> frozenset[str]:
        """The ECS services that run a family of ours."""
        return frozenset(name for task in self.tasks.values() for name in task.services)

    @cached_property
    def variables(self) -> frozenset[str]:
        """Every variable that carries a credential of ours, deprecated ones included."""
        containers = [box for task in self.tasks.values() for box in task.containers.values()]
        return frozenset(name for box in containers for name in (*box.variables, *box.deprecated))

    def user(self, name: str) -> UserLaw | None:
        """The user of this name; the other name it has by turns while its password rotates counts as its own."""
        base = name.removesuffix(self.second_name) if self.second_name else name
        return self.users.get(name) or self.users.get(base)

    def is_one_tenants(self, name: str) -> bool:
        """Whether a user's name says that it serves one tenant, by the law's own patterns."""
        return any(fnmatchcase(name.lower(), pattern) for pattern in self.one_tenant)

    def owns_secret(self, name: str) -> bool:
        """Whether a secret of this name is of this environment."""
        return name.startswith(self.secret_prefix) or name in self.secrets or name in self.legacy_secrets


@dataclass(frozen=True)
class Law:
    """The whole law. `fail_unknown` makes an unexpected unknown value a violation, as CI wants it."""

    environments: tuple[Environment, ...]
    decisions: Decisions = field(default_factory=Decisions)
    exceptions: tuple[Excepted, ...] = ()
    fail_unknown: bool = False

    def environment(self, name: str) -> Environment | None:
        """The environment of a stack, None where the name is unknown."""
        return next((each for each in self.environments if each.name == name), None)

    def others(self, name: str) -> tuple[Environment, ...]:
        """Every environment but this one; for an unknown stack, all of them."""
        return tuple(each for each in self.environments if each.name != name)

    @cached_property
    def projects(self) -> Mapping[str, Environment]:
        """Atlas project to its environment."""
        return {each.project: each for each in self.environments}

    def home_of_secret(self, name: str) -> Environment | None:
        """The environment that owns a secret of this name; None where it is somebody else's."""
        return next((each for each in self.environments if each.owns_secret(name)), None)

    def home_of_host(self, host: str) -> Environment | None:
        """The environment whose cluster a host belongs to: the longest cluster name that begins the host's name."""
        label = host.partition(".")[0].lower()
        homes = [
            each
            for each in self.environments
            if label == each.cluster.lower() or label.startswith(f"{each.cluster.lower()}-")
        ]
        return max(homes, key=lambda each: len(each.cluster), default=None)

    def cap(self, environment: Environment) -> tuple[int, str]:
        """The users a cluster may have, and why a higher figure of the law is not in force ("" where it is)."""
        asked = environment.user_cap
        grant = f"user cap {asked}"
        objection = self.decisions.objection(environment.cap_decision, grant) if asked > MOST_USERS else ""
        cap = MOST_USERS if objection else asked
        headroom = environment.rotation_headroom
        missing = self.decisions.objection(environment.cap_decision, "rotation headroom") if headroom else ""
        return cap + (0 if missing else headroom), objection or missing

    def objection_to_user(self, environment: Environment, user: UserLaw) -> str:
        """Why a user's role, as the law has it, needs a decision that there is not; "" where it is in force."""
        plain = {(READING, environment.database), (READING, environment.audit[0])}
        plain |= {(name, CUSTOM_ROLE_DATABASE) for name in environment.roles}
        wider = (
            f"role {name}@{place} for {user.name}" for name, place in user.roles if (name, place) not in plain
        )
        return self._first_objection(user.decision, wider)

    def _first_objection(self, decision: str, grants: Iterable[str]) -> str:
        return next(filter(None, (self.decisions.objection(decision, grant) for grant in grants)), "")

    def objection_to_role(self, role: RoleLaw) -> str:
        """Why a custom role's actions, as the law has them, need a decision that there is not."""
        wider = sorted({grant[0] for grant in role.grants} - ORDINARY_ACTIONS)
        return self._first_objection(role.decision, (f"action {action} for {role.name}" for action in wider))

    def objection_to(self, entry: Waiver | Excepted) -> str:
        """Why a waiver or an exception is not in force; "" where its decision allows it."""
        kind = "waiver" if isinstance(entry, Waiver) else "exception"
        return self.decisions.objection(entry.decision, f"{kind} {entry.id}")

    def lapsed(self) -> tuple[str, ...]:
        """Each entry that needs a decision and lacks one, as a sentence; the pack acts as if it were not there."""
        found: list[tuple[str, str]] = []
        for home in self.environments:
            users = [(user.name, self.objection_to_user(home, user)) for user in home.users.values()]
            found.append((f"{home.name}: user cap {home.user_cap}", self.cap(home)[1]))
            found += [(f"{home.name}: user {name}", why) for name, why in users]
            found += [(f"role {role.name}", self.objection_to_role(role)) for role in home.roles.values()]
            found += [(f"waiver {waiver.id}", self.objection_to(waiver)) for waiver in home.waivers]
        found += [(f"exception {each.id}", self.objection_to(each)) for each in self.exceptions]
        return tuple(dict.fromkeys(f"{what}: {why}" for what, why in found if why))
