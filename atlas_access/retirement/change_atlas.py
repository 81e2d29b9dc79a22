"""The only client of ours that changes Atlas: roles of users, one custom role, and deletions, for the retirement.

Every request can be repeated: what is already so is fine. It must never send a password, touch a user or role that it
was not told of, or put an answer's text into an error. Source: Atlas Administration API 2.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from atlas_access.base import Endpoints, HeldRole
from atlas_access.clients import (
    PAGE_SIZE,
    READ_ONLY_ACCOUNT,
    READ_ONLY_KEY,
    AtlasUnread,
    HttpReply,
    Patience,
    SignIn,
    Unanswered,
    session,
    sign_in_from,
)
from atlas_access.retirement.journal import STAMP
from atlas_access.retirement.model import (
    TOMBSTONE_ACTION,
    TOMBSTONE_COLLECTION,
    TOMBSTONE_DATABASE,
    TOMBSTONE_ROLE,
    TOMBSTONED,
)
from atlas_access.retirement.run import RoleInUse
from atlas_access.retirement.steps import LiveUser

_MEDIA = "application/vnd.atlas.2023-01-01+json"
_IN_USE = frozenset({"ATLAS_CUSTOM_ROLE_IN_USE_BY_USERS", "ATLAS_CUSTOM_ROLE_IN_USE_BY_ROLES"})
_GRANTS = [
    {
        "action": TOMBSTONE_ACTION,
        "resources": [{"cluster": False, "collection": TOMBSTONE_COLLECTION, "db": TOMBSTONE_DATABASE}],
    }
]


def sign_in_for_changes(environment: Mapping[str, str]) -> SignIn:
    """The credentials that may change database users (Project Database Access Admin), never the read-only ones.

    Raises `CredentialsMissing`.
    """
    read_only = {*READ_ONLY_KEY, *READ_ONLY_ACCOUNT}
    return sign_in_from({name: value for name, value in environment.items() if name not in read_only})


@dataclass(frozen=True)
class AtlasProject:
    """One project, to be changed; `cluster` is where changes must have been applied."""

    project: str
    cluster: str
    sign_in: SignIn
    endpoints: Endpoints

    def users(self) -> dict[str, LiveUser]:
        """Every user that signs in at `admin`, by name. Raises `AtlasUnread`."""
        answer = self._read("database users", f"databaseUsers?itemsPerPage={PAGE_SIZE}&includeCount=true")
        try:
            listed = answer["results"]
            if len(listed) != answer.get("totalCount", len(listed)):
                raise AtlasUnread("database users", "the list is not whole")
            return {str(each["username"]): _user(each) for each in listed if each["databaseName"] == "admin"}
        except (KeyError, TypeError, ValueError):
            raise AtlasUnread("database users", "the answer has another form than documented") from None

    def roles(self) -> tuple[frozenset[str], bool | None]:
        """The names of the custom roles, and whether the tombstone role grants what it should; None without one."""
        answer = self._read("custom roles", "customDBRoles/roles")
        try:
            names = frozenset(str(each["roleName"]) for each in answer)
            mine = next((each for each in answer if each["roleName"] == TOMBSTONE_ROLE), None)
            sound = None if mine is None else _grants(mine) == _grants({"actions": _GRANTS})
        except (KeyError, TypeError):
            raise AtlasUnread("custom roles", "the answer has another form than documented") from None
        return names, sound

    def make_role(self) -> None:
        """Make the tombstone role."""
        body = {"roleName": TOMBSTONE_ROLE, "actions": _GRANTS, "inheritedRoles": []}
        reply = self._send("POST", "customDBRoles/roles", body)
        if _code(reply) != "ATLAS_CUSTOM_ROLE_NAME_ALREADY_EXISTS":
            self._done("making the tombstone role", reply)

    def strip(self, user: str, at: float) -> None:
        """Replace a user's roles by the tombstone role and write when, in one request."""
        self._change(user, (TOMBSTONED,), f"{at:.3f}")

    def give_back(self, user: str, roles: Iterable[HeldRole]) -> None:
        """Give a user roles, and take our label off."""
        self._change(user, sorted(roles), "")

    def remove_user(self, user: str) -> None:
        """Delete a user; one that is gone is fine."""
        reply = self._send("DELETE", _user_path(user))
        if reply.status != 404:
            self._done(f"deleting the user {user}", reply)

    def remove_role(self, role: str) -> None:
        """Delete a custom role; one that is gone is fine. Raises `RoleInUse`."""
        reply = self._send("DELETE", f"customDBRoles/roles/{quote(role, safe='')}")
        if _code(reply) in _IN_USE:
            raise RoleInUse(role)
        if reply.status != 404:
            self._done(f"deleting the role {role}", reply)

    def applied(self) -> bool:
        """Whether every change has reached the cluster. Raises `AtlasUnread`."""
        answer = self._read("the cluster's status", f"clusters/{quote(self.cluster, safe='')}/status")
        return isinstance(answer, dict) and answer.get("changeStatus") == "APPLIED"

    def _change(self, user: str, roles: Iterable[HeldRole], stamp: str) -> None:
        reply = self._send("GET", _user_path(user))
        if reply.status == 404:
            return
        self._done(f"reading the user {user}", reply)
        labels = [each for each in json.loads(reply.text).get("labels") or [] if each.get("key") != STAMP]
        body = {
            "databaseName": "admin",
            "groupId": self.project,
            "username": user,
            "labels": [*labels, *([{"key": STAMP, "value": stamp}] if stamp else [])],
            "roles": [_role(each) for each in roles],
        }
        changed = self._send("PATCH", _user_path(user), body)
        if changed.status != 404:
            self._done(f"changing the roles of {user}", changed)

    def _read(self, what: str, path: str) -> Any:
        reply = self._send("GET", path)
        self._done(what, reply)
        try:
            return json.loads(reply.text)
        except ValueError:
            raise AtlasUnread(what, "the answer is not JSON") from None

    def _done(self, what: str, reply: HttpReply) -> None:
        if not 200 <= reply.status < 300:
            raise AtlasUnread(what, f"Atlas answered {reply.status} {_code(reply)}".rstrip())

    def _send(self, method: str, path: str, body: object = None) -> HttpReply:
        patience = Patience()
        url = f"{self.endpoints.atlas.rstrip('/')}/api/atlas/v2/groups/{quote(self.project, safe='')}/{path}"
        headers = {"Accept": _MEDIA, **({"Content-Type": _MEDIA} if body is not None else {})}
        more = {"data": json.dumps(body)} if body is not None else {}
        try:
            with session(self.endpoints) as http:
                auth = self.sign_in.auth(http, self.endpoints, patience)
                return patience.ask(http, method, url, repeat=True, headers=headers, auth=auth, **more)
        except Unanswered as unanswered:
            raise AtlasUnread(f"Atlas project {self.project}", unanswered.why) from None


def _user_path(user: str) -> str:
    return f"databaseUsers/admin/{quote(user, safe='')}"


def _user(answer: Mapping[str, Any]) -> LiveUser:
    roles = frozenset(
        HeldRole(str(each["roleName"]), str(each["databaseName"]), str(each.get("collectionName") or ""))
        for each in answer.get("roles") or ()
    )
    labels = {str(each.get("key")): str(each.get("value")) for each in answer.get("labels") or ()}
    try:
        stamp = float(labels[STAMP]) if STAMP in labels else None
    except ValueError:
        stamp = None
    return LiveUser(roles, stamp)


def _role(role: HeldRole) -> dict[str, str]:
    named = {"roleName": role.name, "databaseName": role.database}
    return named | ({"collectionName": role.collection} if role.collection else {})


def _grants(role: Mapping[str, Any]) -> object:
    inherited = list(role.get("inheritedRoles") or ())
    granted = {
        (each["action"], bool(place.get("cluster")), place.get("db") or "", place.get("collection") or "")
        for each in role.get("actions") or ()
        for place in each.get("resources") or ()
    }
    return granted, len(inherited)


def _code(reply: HttpReply) -> str:
    try:
        return str(json.loads(reply.text).get("errorCode", ""))
    except (ValueError, AttributeError):
        return ""
