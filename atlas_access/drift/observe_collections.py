"""Lists a cluster's collections with its reader's own credential, and what the server says that this reader may do.

It must never read a document, retry a login, or tell more than names: the connection string is read at the moment of
use, dropped, and never returned, logged or raised.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from atlas_access.drift.model import ObservedCollections, ObservedView
from atlas_access.privileges import IDENTITY_COMMAND, Identity, read_identity

WAIT_SECONDS = 5.0
_NO_VALUE = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
"""What Secrets Manager answers for a secret that is missing or deleted, which is a finding of its own as well."""

_BATCH = 1000
_MAX_BATCHES = 50


def list_collections(
    user: str, database: str, secret: str, *, region: str, endpoints: Endpoints, views: bool = False
) -> ObservedCollections | Unread:
    """Return what the reader sees, with what its views show where `views` is set.

    A server that does not answer is unread: it was asked. Raises `EndpointRefused`.
    """
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
            return _observe(what, server, user, database, views=views)
    except EndpointRefused:
        raise
    except ServerUnusable as error:
        return Unread(what, str(error))


def _observe(
    what: str, server: Server, user: str, database: str, *, views: bool
) -> ObservedCollections | Unread:
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
    listed = _listed(server, database, name_only=not views)
    build = server.command("admin", {"buildInfo": 1})
    if listed is None or not build.answer.ok:
        return Unread(what, "the server did not list them")
    return ObservedCollections(
        user=user,
        database=database,
        names=frozenset(str(each["name"]) for each in listed),
        privileges=identity.privileges,
        roles=identity.roles,
        version=str(build.document.get("version", "")),
        views=tuple(_view(each) for each in listed if each.get("type") == "view"),
    )


def _view(listed: Mapping[str, Any]) -> ObservedView:
    options = listed.get("options")
    said = options if isinstance(options, dict) else {}
    pipeline = said.get("pipeline")
    first = pipeline[0] if isinstance(pipeline, list) and pipeline else None
    match = first.get("$match") if isinstance(first, dict) else None
    fields = (
        tuple(field for field, value in match.items() if not isinstance(value, dict | list))
        if isinstance(match, dict)
        else ()
    )
    return ObservedView(str(listed["name"]), str(said.get("viewOn", "")), fields)


def _listed(server: Server, database: str, *, name_only: bool) -> list[Mapping[str, Any]] | None:
    """Every collection and view but the server's own, over as many batches as it takes."""
    found: list[Mapping[str, Any]] = []
    asked: dict[str, Any] = {"listCollections": 1, "nameOnly": name_only, "cursor": {"batchSize": _BATCH}}
    for _ in range(_MAX_BATCHES):
        reply = server.command(database, asked)
        cursor = reply.document.get("cursor")
        if not reply.answer.ok or not isinstance(cursor, dict):
            return None
        found += cursor.get("firstBatch") or cursor.get("nextBatch") or []
        if not cursor.get("id"):
            return [
                each for each in found if each.get("name") and not str(each["name"]).startswith("system.")
            ]
        asked = {"getMore": cursor["id"], "collection": "$cmd.listCollections", "batchSize": _BATCH}
    return None
