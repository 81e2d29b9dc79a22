"""Lists a cluster's collections with its reader's own credential, and what the server says that this reader may do.

It must never read a document, retry a login, or tell more than names: the connection string is read at the moment of
use, dropped, and never returned, logged or raised.
"""

from __future__ import annotations

from typing import Any

from atlas_access.base import (
    ConnectionInvalid,
    ConnectionString,
    EndpointRefused,
    Endpoints,
    Status,
    Unread,
    both_logins,
    judge_options,
)
from atlas_access.clients import (
    AwsUnavailable,
    Login,
    Server,
    ServerUnusable,
    judge_login,
    read_connection_string,
)
from atlas_access.drift.model import ObservedCollections
from atlas_access.privileges import IDENTITY_COMMAND, Identity, read_identity

WAIT_SECONDS = 5.0
_NO_VALUE = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
"""What Secrets Manager answers for a secret that is missing or deleted, which is a finding of its own as well."""

_BATCH = 1000
_MAX_BATCHES = 50


def list_collections(
    user: str, database: str, secret: str, *, region: str, endpoints: Endpoints
) -> ObservedCollections | Unread:
    """Return what the reader sees. A server that does not answer is unread: it was asked. Raises `EndpointRefused`."""
    what = f"collections of {database}, as {user}"
    try:
        text = read_connection_string(secret, "", region=region, endpoints=endpoints)
        connection = ConnectionString.parse(text)
    except AwsUnavailable as error:
        if error.code in _NO_VALUE:
            return Unread(what, f"the secret {secret} has no value to log in with")
        return Unread(what, f"the secret {secret}: {error.why}")
    except ConnectionInvalid:
        return Unread(what, f"the secret {secret} holds no connection string")
    judged = judge_options(connection.options)
    if weakened := tuple(each.subject for each in judged if each.status is Status.BAD):
        return ObservedCollections(user, database, frozenset(), frozenset(), frozenset(), "", weakened)
    try:
        with Server(connection, endpoints, wait_seconds=WAIT_SECONDS) as server:
            return _observe(what, server, user, database)
    except EndpointRefused:
        raise
    except ServerUnusable as error:
        return Unread(what, str(error))


def _observe(what: str, server: Server, user: str, database: str) -> ObservedCollections | Unread:
    greeting = server.login(lambda: 0.0)
    login = judge_login(greeting.answer)
    if login is Login.REFUSED:
        return Unread(what, "the server refused the login with the stored credential")
    if login is Login.UNREACHABLE:
        return Unread(what, "its address does not answer from here")
    identity = server.ask(IDENTITY_COMMAND, read_identity)
    if not isinstance(identity, Identity):
        return Unread(what, "the server did not say who is logged in")
    if identity.user not in both_logins(user):
        return Unread(what, "the stored credential logs in as another user")
    names = _names(server, database)
    build = server.command("admin", {"buildInfo": 1})
    if names is None or not build.answer.ok:
        return Unread(what, "the server did not list them")
    return ObservedCollections(
        user=user,
        database=database,
        names=names,
        privileges=identity.privileges,
        roles=identity.roles,
        version=str(build.document.get("version", "")),
    )


def _names(server: Server, database: str) -> frozenset[str] | None:
    """Every collection and view but the server's own, over as many batches as it takes."""
    found: set[str] = set()
    asked: dict[str, Any] = {"listCollections": 1, "nameOnly": True, "cursor": {"batchSize": _BATCH}}
    for _ in range(_MAX_BATCHES):
        reply = server.command(database, asked)
        cursor = reply.document.get("cursor")
        if not reply.answer.ok or not isinstance(cursor, dict):
            return None
        batch = cursor.get("firstBatch") or cursor.get("nextBatch") or []
        found |= {str(each.get("name", "")) for each in batch}
        if not cursor.get("id"):
            return frozenset(name for name in found if name and not name.startswith("system."))
        asked = {"getMore": cursor["id"], "collection": "$cmd.listCollections", "batchSize": _BATCH}
    return None
