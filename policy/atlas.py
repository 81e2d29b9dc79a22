"""Database users and custom roles as the Atlas provider takes them; of a password only its form and digest are kept."""

from __future__ import annotations

from dataclasses import dataclass

from policy.credentials import Password
from policy.reader import Problem, Reader
from policy.resources import Resource
from policy.values import Marker, Text


@dataclass(frozen=True)
class RoleReference:
    """A role as a user or another role names it; `path` is its place in the properties."""

    path: str
    name: Text | None
    database: Text | None
    collection: Text | None = None


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
class UserView:
    """A `mongodbatlas.DatabaseUser`."""

    name: Text | None
    project: Text | None
    sign_in: Text | None
    roles: tuple[RoleReference, ...] | Marker
    scopes: tuple[tuple[Text | None, Text | None], ...] | Marker
    password: Password | Marker | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class RoleView:
    """A `mongodbatlas.CustomDbRole`."""

    name: Text | None
    project: Text | None
    actions: tuple[ActionGrant, ...] | Marker
    inherited: tuple[RoleReference, ...] | Marker
    problems: tuple[Problem, ...]


def _known(password: Text | None) -> Password | Marker | None:
    return Password.of(password) if isinstance(password, str) else password


def _references(readers: tuple[Reader, ...] | Marker) -> tuple[RoleReference, ...] | Marker:
    if isinstance(readers, Marker):
        return readers
    return tuple(
        RoleReference(
            role.path("roleName"),
            role.text("roleName", required=True),
            role.text("databaseName", required=True),
            role.text("collectionName"),
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
        sign_in=reader.text("authDatabaseName", required=True),
        roles=_references(reader.objects("roles", required=True)),
        scopes=scopes
        if isinstance(scopes, Marker)
        else tuple((scope.text("name", required=True), scope.text("type")) for scope in scopes),
        password=_known(reader.text("password", "passwordWo")),
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
