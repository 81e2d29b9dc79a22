"""Database users and custom roles as the Atlas provider takes them; of a password only a keyed digest is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from policy.reader import Problem, Reader
from policy.resources import Resource
from policy.values import Marker, Text

_PROCESS_KEY = secrets.token_bytes(32)


@dataclass(frozen=True)
class RoleReference:
    """A role as a user or another role names it; `path` is its place in the properties."""

    path: str
    name: Text | None
    database: Text | None


@dataclass(frozen=True)
class Target:
    """What one action of a custom role is granted on."""

    path: str
    database: Text | None
    collection: Text | None
    cluster: bool | Marker | None


@dataclass(frozen=True)
class ActionGrant:
    """One Atlas action and everything it is granted on."""

    path: str
    action: Text | None
    targets: tuple[Target, ...] | Marker


@dataclass(frozen=True)
class PasswordShape:
    """What may be known of a password: its form, and a digest that means nothing outside this process."""

    length: int
    alphanumeric: bool
    digest: str


@dataclass(frozen=True)
class UserView:
    """A `mongodbatlas.DatabaseUser`."""

    name: Text | None
    project: Text | None
    roles: tuple[RoleReference, ...] | Marker
    scopes: tuple[tuple[Text | None, Text | None], ...] | Marker
    password: PasswordShape | Marker | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class RoleView:
    """A `mongodbatlas.CustomDbRole`."""

    name: Text | None
    project: Text | None
    actions: tuple[ActionGrant, ...] | Marker
    inherited: tuple[RoleReference, ...] | Marker
    problems: tuple[Problem, ...]


def _shape(password: Text | None) -> PasswordShape | Marker | None:
    if not isinstance(password, str):
        return password
    digest = hmac.new(_PROCESS_KEY, password.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return PasswordShape(len(password), password.isascii() and password.isalnum(), digest)


def _references(readers: tuple[Reader, ...] | Marker) -> tuple[RoleReference, ...] | Marker:
    if isinstance(readers, Marker):
        return readers
    return tuple(
        RoleReference(
            role.path("roleName"),
            role.text("roleName", required=True),
            role.text("databaseName", required=True),
        )
        for role in readers
    )


def _action(reader: Reader) -> ActionGrant:
    targets = reader.objects("resources", required=True)
    action = reader.text("action", required=True)
    if isinstance(targets, Marker):
        return ActionGrant(reader.path("action"), action, targets)
    read = tuple(
        Target(
            target.path("collectionName"),
            target.text("databaseName"),
            target.text("collectionName"),
            target.flag("cluster"),
        )
        for target in targets
    )
    return ActionGrant(reader.path("action"), action, read)


def user_view(resource: Resource) -> UserView:
    """Read a database user; what cannot be read is left out and listed in `problems`."""
    reader = Reader(resource.props)
    scopes = reader.objects("scopes")
    return UserView(
        name=reader.text("username", required=True),
        project=reader.text("projectId", required=True),
        roles=_references(reader.objects("roles", required=True)),
        scopes=scopes
        if isinstance(scopes, Marker)
        else tuple((scope.text("name", required=True), scope.text("type")) for scope in scopes),
        password=_shape(reader.text("password", "passwordWo")),
        problems=tuple(reader.problems),
    )


def role_view(resource: Resource) -> RoleView:
    """Read a custom role; what cannot be read is left out and listed in `problems`."""
    reader = Reader(resource.props)
    actions = reader.objects("actions")
    return RoleView(
        name=reader.text("roleName", required=True),
        project=reader.text("projectId", required=True),
        actions=actions if isinstance(actions, Marker) else tuple(_action(action) for action in actions),
        inherited=_references(reader.objects("inheritedRoles")),
        problems=tuple(reader.problems),
    )
