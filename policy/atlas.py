"""Database users and custom roles as the Atlas provider takes them; of a password only its form and digest are kept."""

from __future__ import annotations

from collections.abc import Iterator
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
class ActionGrant:
    """One Atlas action on one target; on everything that cannot be seen where `hidden` says why."""

    path: str
    action: Text | None
    database: Text | None = None
    collection: Text | None = None
    cluster: bool | Marker | None = None
    unseen: Marker | None = None

    @property
    def hidden(self) -> Marker | None:
        """Why a part of it cannot be seen."""
        parts = (self.action, self.database, self.collection, self.cluster, self.unseen)
        return next((part for part in parts if isinstance(part, Marker)), None)


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


def _granted(reader: Reader) -> Iterator[ActionGrant]:
    targets = reader.objects("resources", required=True)
    path, action = reader.path("action"), reader.text("action", required=True)
    if isinstance(targets, Marker) or isinstance(action, Marker):
        yield ActionGrant(path, action, unseen=targets if isinstance(targets, Marker) else None)
        return
    for target in targets:
        names = (target.text("databaseName"), target.text("collectionName"), target.flag("cluster"))
        yield ActionGrant(target.path("collectionName"), action, *names)


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
        actions=actions
        if isinstance(actions, Marker)
        else tuple(grant for action in actions for grant in _granted(action)),
        inherited=_references(reader.objects("inheritedRoles")),
        problems=tuple(reader.problems),
    )
