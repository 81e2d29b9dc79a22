"""One project's state: users, custom roles and events, changed under one lock. A concurrent role change is refused."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sandbox.atlas.auth import Credential
from sandbox.atlas.backing import Backing, ServerFacts
from sandbox.atlas.errors import AtlasError
from sandbox.atlas.models import (
    CustomRole,
    DatabaseUser,
    Moment,
    NewUser,
    Record,
    RolePatch,
    UserPatch,
    patched,
)
from sandbox.atlas.propagation import Propagation
from sandbox.atlas.rules import (
    MAX_ROLES,
    MAX_USERS,
    check_expiry_change,
    check_role,
    check_user,
    not_enforced,
)
from sandbox.atlas.spec import ProjectSpec

KEPT_EVENTS = 5000
_SYSTEM = Credential("", "", "")


class Event(Record):
    """What was done to a user or role, by whom and when."""

    id: str
    type: str
    created: Moment
    target: str
    actor: str
    actor_id: str
    by_key: bool
    remote: str


class Project:
    """One project with its users, roles and events, in memory."""

    def __init__(
        self,
        spec: ProjectSpec,
        backing: Backing,
        propagation: Propagation,
        *,
        clock: Callable[[], datetime],
        role_change_seconds: float,
    ) -> None:
        self.spec = spec
        self.backing = backing
        self.facts: ServerFacts  # the emulator asks the server for them when it starts
        self.propagation = propagation
        self.events: list[Event] = []
        self._users: dict[tuple[str, str], DatabaseUser] = {}
        self._roles: dict[str, CustomRole] = {}
        self._clock = clock
        self._role_change_seconds = role_change_seconds
        self._lock = threading.RLock()
        self._role_change = threading.Lock()

    @property
    def users(self) -> list[DatabaseUser]:
        """All users, in the order in which they were made."""
        with self._lock:
            return list(self._users.values())

    @property
    def roles(self) -> list[CustomRole]:
        """All custom roles, in the order in which they were made."""
        with self._lock:
            return list(self._roles.values())

    @property
    def not_enforced(self) -> dict[str, tuple[str, ...]]:
        """Per role, the actions that Atlas knows and this `mongod` does not: kept, but nothing enforces them."""
        version = self.facts.version
        return {role.role_name: missing for role in self.roles if (missing := not_enforced(role, version))}

    def user(self, database: str, username: str) -> DatabaseUser:
        """Return a user; raises `AtlasError` 404."""
        found = self._users.get((database, username))
        if found is None:
            raise AtlasError("USERNAME_NOT_FOUND", username)
        return found

    def role(self, name: str) -> CustomRole:
        """Return a custom role; raises `AtlasError` 404."""
        found = self._roles.get(name)
        if found is None:
            raise AtlasError("ATLAS_CUSTOM_ROLE_NOT_FOUND", name)
        return found

    def add_user(self, body: NewUser, actor: Credential, remote: str = "") -> DatabaseUser:
        """Make a user; raises `AtlasError`."""
        self._same_project(body.group_id)
        password = body.password.get_secret_value() if body.password else None
        user = body.record().model_copy(update={"group_id": self.spec.project_id})
        with self._changing():
            self._check(user, password, new=True)
            if user.key in self._users:
                raise AtlasError("USER_ALREADY_EXISTS", user.username)
            if len(self._users) >= MAX_USERS:
                raise AtlasError("GROUP_USERS_LIMIT_EXCEEDED", str(MAX_USERS))
            self._users[user.key] = user
            self._record("MONGODB_USER_ADDED", user.username, actor, remote)
            self._put_user(user, password)
        return user

    def change_user(
        self, database: str, username: str, patch: UserPatch, actor: Credential, remote: str = ""
    ) -> DatabaseUser:
        """Change a user; raises `AtlasError`."""
        if patch.group_id is not None:
            self._same_project(patch.group_id)
        password = patch.password.get_secret_value() if patch.password else None
        with self._changing():
            before = self.user(database, username)
            after = patched(before, patch).model_copy(update={"group_id": before.group_id})
            if after.username != before.username:
                raise AtlasError("DATABASE_USERNAME_CANNOT_BE_CHANGED")
            if after.database_name != before.database_name:
                raise AtlasError("DATABASE_NAME_CANNOT_BE_CHANGED")
            if after.sign_in != before.sign_in:
                raise AtlasError("AUTH_TYPE_CANNOT_BE_CHANGED")
            check_expiry_change(before, after, self._clock())
            self._check(after, password, new=False)
            self._users[after.key] = after
            self._record("MONGODB_USER_UPDATED", username, actor, remote)
            self._put_user(after, password)
        return after

    def remove_user(self, database: str, username: str, actor: Credential, remote: str = "") -> None:
        """Remove a user; raises `AtlasError`."""
        with self._changing():
            gone = self.user(database, username)
            del self._users[gone.key]
            self._record("MONGODB_USER_DELETED", username, actor, remote)
            if gone.by_password:
                self.propagation.put(
                    f"removal of user {username}", lambda: self.backing.drop("User", username)
                )

    def remove_expired(self) -> None:
        """Remove the temporary users whose time is over."""
        now = self._clock()
        for user in self.users:
            if user.delete_after_date is not None and user.delete_after_date <= now:
                try:
                    self.remove_user(user.database_name, user.username, _SYSTEM)
                except AtlasError:
                    continue  # another request removed it in between

    def add_role(self, role: CustomRole, actor: Credential, remote: str = "") -> CustomRole:
        """Make a custom role; raises `AtlasError`."""
        with self._changing_roles():
            if role.role_name in self._roles:
                raise AtlasError("ATLAS_CUSTOM_ROLE_NAME_ALREADY_EXISTS", role.role_name)
            check_role(role, self._roles)
            if len(self._roles) >= MAX_ROLES:
                raise AtlasError("CUSTOM_ROLES_LIMIT_EXCEEDED", str(MAX_ROLES))
            self._keep_role(role, "MONGODB_ROLE_ADDED", actor, remote)
        return role

    def change_role(self, name: str, patch: RolePatch, actor: Credential, remote: str = "") -> CustomRole:
        """Change a custom role; raises `AtlasError`."""
        with self._changing_roles():
            after = patched(self.role(name), patch)
            check_role(after, self._roles)
            self._keep_role(after, "MONGODB_ROLE_UPDATED", actor, remote)
        return after

    def remove_role(self, name: str, actor: Credential, remote: str = "") -> None:
        """Remove a custom role that no user has and no role inherits; raises `AtlasError`."""
        with self._changing_roles():
            self.role(name)
            users = [u.username for u in self._users.values() if name in {g.role_name for g in u.roles}]
            if users:
                raise AtlasError("ATLAS_CUSTOM_ROLE_IN_USE_BY_USERS", ", ".join(users))
            heirs = [r.role_name for r in self._roles.values() if name in {i.role for i in r.inherited_roles}]
            if heirs:
                raise AtlasError("ATLAS_CUSTOM_ROLE_IN_USE_BY_ROLES", ", ".join(heirs))
            del self._roles[name]
            self._record("MONGODB_ROLE_DELETED", name, actor, remote)
            self.propagation.put(f"removal of role {name}", lambda: self.backing.drop("Role", name))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Lock the project for a change; the server is updated afterwards, so that a slow one blocks no request."""
        with self._lock:
            yield
        self.propagation.catch_up()

    @contextmanager
    def _changing_roles(self) -> Iterator[None]:
        if not self._role_change.acquire(blocking=False):
            raise AtlasError("AUTOMATION_CONFIG_CONCURRENT_MODIFICATION")
        try:
            with self._changing():
                yield
            time.sleep(self._role_change_seconds)
        finally:
            self._role_change.release()

    def _keep_role(self, role: CustomRole, event: str, actor: Credential, remote: str) -> None:
        self._roles[role.role_name] = role
        self._record(event, role.role_name, actor, remote)
        version = self.facts.version
        self.propagation.put(f"role {role.role_name}", lambda: self.backing.put_role(role, version))

    def _check(self, user: DatabaseUser, password: str | None, *, new: bool) -> None:
        reserved = self.spec.reserved_users
        check_user(user, password, roles=self._roles, reserved=reserved, new=new, now=self._clock())

    def _same_project(self, group_id: str) -> None:
        if group_id != self.spec.project_id:
            raise AtlasError("GROUP_MISMATCH", group_id)

    def _put_user(self, user: DatabaseUser, password: str | None) -> None:
        """Hand a user on to `mongod`; those who sign in elsewhere are records only."""
        if user.by_password:
            reachable = user.reaches(self.spec.cluster_name)
            self.propagation.put(
                f"user {user.username}", lambda: self.backing.put_user(user, password, reachable=reachable)
            )

    def _record(self, kind: str, target: str, actor: Credential, remote: str) -> None:
        event = Event(
            id=secrets.token_hex(12),
            type=kind,
            created=self._clock(),
            target=target,
            actor=actor.name,
            actor_id=actor.id if actor.name else "",
            by_key=actor.kind == "key",
            remote=remote,
        )
        self.events.append(event)
        del self.events[:-KEPT_EVENTS]
