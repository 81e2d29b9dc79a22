"""The live systems of one stack as a retirement changes them: ECS, Atlas, Secrets Manager. Decides nothing.

Each method is one change, and fine when it was made before. It must never touch a secret's value, delete a secret
without its recovery window, or register anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from atlas_access.base import Endpoints, HeldRole
from atlas_access.clients import (
    READ_ONLY_ACCOUNT,
    READ_ONLY_KEY,
    Atlas,
    AtlasUnread,
    AwsUnavailable,
    ObservedUser,
    Place,
    SignIn,
    sign_in_from,
)
from atlas_access.retirement.journal import STAMP, read_journal
from atlas_access.retirement.model import (
    TOMBSTONE_ACTION,
    TOMBSTONE_COLLECTION,
    TOMBSTONE_DATABASE,
    TOMBSTONE_ROLE,
    TOMBSTONED,
)
from atlas_access.retirement.steps import Goal, LiveState, LiveUser, RoleInUse, SecretState, Way
from atlas_access.rollout import Service

RECOVERY_DAYS = 30
_EXISTS = "ATLAS_CUSTOM_ROLE_NAME_ALREADY_EXISTS"
_IN_USE = frozenset({"ATLAS_CUSTOM_ROLE_IN_USE_BY_USERS", "ATLAS_CUSTOM_ROLE_IN_USE_BY_ROLES"})
_GRANTED = frozenset({(TOMBSTONE_ACTION, Place(TOMBSTONE_DATABASE, TOMBSTONE_COLLECTION))})
_RESOURCE = {"cluster": False, "collection": TOMBSTONE_COLLECTION, "db": TOMBSTONE_DATABASE}


def sign_in_for_changes(environment: Mapping[str, str]) -> SignIn:
    """The credentials that may change database users (Project Database Access Admin), never the read-only ones.

    Raises `CredentialsMissing`.
    """
    read_only = {*READ_ONLY_KEY, *READ_ONLY_ACCOUNT}
    return sign_in_from({name: value for name, value in environment.items() if name not in read_only})


@dataclass(frozen=True)
class LiveSystems:
    """One Atlas project and one AWS account; `ecs_cluster` and `service` are where the journal is.

    `cluster` is where changes of Atlas must have been applied. Each is asked for with a deadline of its own, and raises
    `AtlasUnread` when Atlas gives no usable answer.
    """

    project: str
    cluster: str
    sign_in: SignIn
    endpoints: Endpoints
    ecs: Any
    secrets: Any
    ecs_cluster: str
    service: str
    wall: Callable[[], float]

    def observe(self, goal: Goal) -> LiveState:
        """Inspect everything that a step depends on."""
        roles, sound = self.roles()
        wanted = goal.secrets if goal.way is Way.DELETE else ()
        return LiveState(
            journal=read_journal(self._service()[1]),
            users=self.users(),
            roles=roles,
            role_sound=sound,
            secrets={name: self._state(name) for name in wanted},
            wall=self.wall(),
        )

    def write(self, tags: Mapping[str, str]) -> None:
        """Write tags of the journal."""
        listed = [{"key": key, "value": value} for key, value in tags.items()]
        self.ecs.tag_resource(resourceArn=self._service()[0], tags=listed)

    def erase(self, keys: tuple[str, ...]) -> None:
        """Take tags of the journal off."""
        self.ecs.untag_resource(resourceArn=self._service()[0], tagKeys=list(keys))

    def deregister(self, revision: str) -> None:
        """Deregister a revision; it stays readable as INACTIVE."""
        found = self.ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
        if found.get("status") == "ACTIVE":
            self.ecs.deregister_task_definition(taskDefinition=revision)

    def schedule(self, secret: str) -> None:
        """Delete a secret with its recovery window."""
        if self._state(secret) is SecretState.PRESENT:
            self.secrets.delete_secret(SecretId=secret, RecoveryWindowInDays=RECOVERY_DAYS)

    def users(self) -> dict[str, LiveUser]:
        """Every user that signs in at `admin`, by name."""
        with self._atlas() as atlas:
            return {user.name: _live(user) for user in atlas.users() if user.auth_database == "admin"}

    def roles(self) -> tuple[frozenset[str], bool | None]:
        """The names of the custom roles, and whether the tombstone role grants what it should; None without one."""
        with self._atlas() as atlas:
            roles = {role.name: role for role in atlas.roles()}
        mine = roles.get(TOMBSTONE_ROLE)
        sound = None if mine is None else mine.grants == _GRANTED and not mine.inherited
        return frozenset(roles), sound

    def make_role(self) -> None:
        """Make the tombstone role."""
        try:
            with self._atlas() as atlas:
                actions = [{"action": TOMBSTONE_ACTION, "resources": [_RESOURCE]}]
                atlas.create_role(TOMBSTONE_ROLE, actions)
        except AtlasUnread as error:
            if error.code != _EXISTS:
                raise

    def strip(self, user: str, at: float) -> None:
        """Replace a user's roles by the tombstone role and write when, in one request."""
        self._change(user, (TOMBSTONED,), ((STAMP, f"{at:.3f}"),))

    def restore_roles(self, user: str, roles: Iterable[HeldRole]) -> None:
        """Give a user roles, and take our label off."""
        self._change(user, sorted(roles), ())

    def remove_user(self, user: str) -> None:
        """Delete a user; one that is gone is fine."""
        try:
            with self._atlas() as atlas:
                atlas.delete_user(user)
        except AtlasUnread as error:
            _unless_gone(error)

    def remove_role(self, role: str) -> None:
        """Delete a custom role; one that is gone is fine. Raises `RoleInUse`."""
        try:
            with self._atlas() as atlas:
                atlas.delete_role(role)
        except AtlasUnread as error:
            if error.code in _IN_USE:
                raise RoleInUse(role) from None
            _unless_gone(error)

    def applied(self) -> bool:
        """Whether every change has reached the cluster."""
        with self._atlas() as atlas:
            return atlas.applied(self.cluster)

    def _change(self, user: str, roles: Iterable[HeldRole], stamp: tuple[tuple[str, str], ...]) -> None:
        try:
            with self._atlas() as atlas:
                labels = [label for label in atlas.user(user).labels if label[0] != STAMP]
                atlas.change_user(user, roles, (*labels, *stamp))
        except AtlasUnread as error:
            _unless_gone(error)

    def _atlas(self) -> Atlas:
        return Atlas(self.project, self.sign_in, self.endpoints)

    def _service(self) -> tuple[str, dict[str, str]]:
        state, tags = Service(self.ecs, self.ecs_cluster, self.service).observe_tags()
        return state.arn, tags

    def _state(self, name: str) -> SecretState:
        try:
            about = self.secrets.describe_secret(SecretId=name)
        except AwsUnavailable as error:
            if error.code == "ResourceNotFoundException":
                return SecretState.ABSENT
            raise
        return SecretState.SCHEDULED if about.get("DeletedDate") else SecretState.PRESENT


def _unless_gone(error: AtlasUnread) -> None:
    if error.status != 404:
        raise error


def _live(user: ObservedUser) -> LiveUser:
    labels = dict(user.labels)
    try:
        stamp = float(labels[STAMP]) if STAMP in labels else None
    except ValueError:
        stamp = None
    return LiveUser(user.roles, stamp)
