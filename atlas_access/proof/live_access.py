"""Asks the servers who can do one action: each credential of a stack's own cluster reads its own privileges.

One login and one command each (`connectionStatus` with `showPrivileges`, which needs no privilege). The action itself
is not tried, and a user that could not be asked is unknown.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from atlas_access.base import ConnectionInvalid, ConnectionString, EndpointRefused
from atlas_access.clients import (
    Atlas,
    AtlasUnread,
    AwsUnavailable,
    Login,
    Server,
    judge_login,
    read_connection_string,
)
from atlas_access.privileges import IDENTITY_COMMAND, Identity, actions_on, mongo_actions, read_identity
from atlas_access.proof.run import MAX_CONCURRENT
from atlas_access.proof.run_stack import runbook_candidates
from atlas_access.proof.runbook import Probe, ProbeSet
from atlas_access.proof.stack_secrets import Candidate, Stack, secrets_of
from atlas_access.proof.verdict import Outcome

_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class LiveHolder:
    """What the server says of one user: whether it can, by which roles (`name@database`), or why it was not asked."""

    user: str
    secret: str
    can: bool | None
    roles: tuple[str, ...] = ()
    why: str = ""


def live_holders(stack: Stack, action: str, database: str, collection: str) -> tuple[LiveHolder, ...]:
    """Ask for every managed and legacy user whose secret is there; `action` is Atlas's name.

    Users of the project for whom there is no secret come last, as not asked, where Atlas lists them.
    """
    wanted = frozenset(mongo_actions(action))

    def one(candidate: Candidate) -> LiveHolder:
        return _ask(stack, candidate, wanted, database, collection)

    log = stack.manifest.audit.collection
    everyone = ProbeSet(tuple(Probe(user, "FIND", log, Outcome.ALLOWED) for user in secrets_of(stack)), "")
    each = runbook_candidates(stack, everyone)
    with ThreadPoolExecutor(max_workers=max(1, min(len(each), MAX_CONCURRENT))) as pool:
        asked = tuple(pool.map(one, each))
    return (*asked, *_others(stack, {holder.user for holder in asked}))


def _ask(
    stack: Stack, candidate: Candidate, wanted: frozenset[str], database: str, collection: str
) -> LiveHolder:
    def unasked(why: str) -> LiveHolder:
        return LiveHolder(candidate.user, candidate.secret, None, why=why)

    request = candidate.request
    if candidate.missing:
        return unasked(candidate.missing)
    try:
        connection = ConnectionString.parse(
            read_connection_string(
                request.secret_arn,
                request.secret_version,
                region=request.region,
                endpoints=stack.endpoints,
            )
        )
        with Server(connection, stack.endpoints, wait_seconds=_WAIT_SECONDS) as server:
            login = judge_login(server.login(lambda: 0.0).answer)
            identity = server.ask(IDENTITY_COMMAND, read_identity) if login is Login.DONE else None
    except (AwsUnavailable, ConnectionInvalid) as error:
        return unasked(str(error))
    except EndpointRefused:
        raise
    except ValueError:
        return unasked("the driver refuses the connection string")
    if identity is None:
        return unasked(str(login))
    if not isinstance(identity, Identity):
        return unasked("the server did not list its privileges")
    can = bool(wanted & actions_on(identity.privileges, database, collection))
    return LiveHolder(identity.user, candidate.secret, can, tuple(sorted(identity.roles)))


def _others(stack: Stack, asked: set[str]) -> tuple[LiveHolder, ...]:
    """The project's other database users, whose password nobody here holds."""
    if stack.sign_in is None:
        return (LiveHolder("other users", "", None, why="Atlas was not asked for them: no credentials"),)
    try:
        with Atlas(stack.settings.atlas_project_id, stack.sign_in, stack.endpoints) as atlas:
            users = atlas.users()
    except AtlasUnread as unread:
        return (LiveHolder("other users", "", None, why=str(unread)),)
    return tuple(
        LiveHolder(
            user.name,
            "",
            None,
            tuple(sorted(str(role) for role in user.roles)),
            "no secret of it is here",
        )
        for user in sorted(users, key=lambda each: each.name)
        if user.name not in asked
    )
