"""Who a server says is logged in, and what that user may do, from its answer to `connectionStatus`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atlas_access.privileges.model import Privileges, server_privileges


@dataclass(frozen=True)
class Identity:
    """Who the server says is logged in: user and the database that knows it, roles as `name@database`, privileges."""

    user: str
    database: str
    roles: frozenset[str]
    privileges: Privileges


IDENTITY_COMMAND: Mapping[str, object] = {"connectionStatus": 1, "showPrivileges": True}
"""Needs no privilege, and lists the effective privileges exhaustively (MongoDB manual, connectionStatus)."""


def read_identity(document: Mapping[str, Any]) -> Identity:
    """Read the answer to IDENTITY_COMMAND. Raises KeyError, TypeError or ValueError when it has another shape."""
    about = document["authInfo"]
    users = about["authenticatedUsers"]
    return Identity(
        user=users[0]["user"] if users else "",
        database=users[0]["db"] if users else "",
        roles=frozenset(f"{role['role']}@{role['db']}" for role in about["authenticatedUserRoles"]),
        privileges=server_privileges(about["authenticatedUserPrivileges"]),
    )
