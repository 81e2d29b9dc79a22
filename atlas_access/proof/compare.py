"""Compares what a server says of a user with what is declared: identity, roles and privileges, exactly.

The server's own list (`connectionStatus` with `showPrivileges`) is exhaustive, so a privilege that no attempt covers
is found here. A version newer than the documented sets may add actions to a built-in role: they are tolerated where
the role may have their kind of effect, and shown; an action that no table names is inconclusive until it is accepted.
"""

from collections.abc import Callable, Iterable

from atlas_access.base import Finding
from atlas_access.privileges import (
    Excess,
    Identity,
    Privilege,
    Privileges,
    effect_of,
    excess,
    excess_sentence,
    is_documented,
    missing_sentence,
)
from atlas_access.proof.evidence import Subject, doubtful, noted, refuted
from atlas_access.proof.expectations import ADMIN, Expectations, Place

SHOWN = 20
_ACCEPT = (
    "If it was decided to be harmless, list {action} under accepted_actions in access.yaml with the decision."
)


def compare(expected: Expectations, identity: Identity, version: str) -> tuple[Finding, ...]:
    """Return every difference; empty when the user is exactly what is declared. `version` is the server's own."""
    return (
        *_identity(expected, identity),
        *_roles(expected, identity),
        *_privileges(expected, identity, version),
    )


def _identity(expected: Expectations, identity: Identity) -> Iterable[Finding]:
    if identity.user not in expected.logins or identity.database != ADMIN:
        who = f"{identity.user or 'nobody'}@{identity.database or 'nowhere'}"
        yield refuted(Subject.LOGIN, f"logged in as {who}, not as {expected.login}@{ADMIN}")


def _roles(expected: Expectations, identity: Identity) -> Iterable[Finding]:
    declared = frozenset(expected.roles)
    for role in sorted(identity.roles - declared):
        text = f"{expected.user} holds the role {role}; declared: {', '.join(expected.roles)}"
        yield refuted(Subject.ROLES, text)
    for role in sorted(declared - identity.roles):
        yield refuted(Subject.ROLES, f"{expected.user} lacks the role {role}")


def _privileges(expected: Expectations, identity: Identity, version: str) -> Iterable[Finding]:
    try:
        declared, tolerated = expected.declared(version), expected.tolerated(version)
    except ValueError:
        text = f"the privileges of {', '.join(expected.roles)} on server version {version} are not documented here"
        yield doubtful(Subject.SERVER, text, "Update the cluster to a supported MongoDB version.")
        return
    found = excess_of(expected, identity, declared | tolerated, version)
    for action in sorted({each.action for each in found.unknown}):
        text = f"{expected.user} holds the action {action}, which no table of this project names"
        yield doubtful(Subject.EXCESS, text, _ACCEPT.format(action=action))
    if not is_documented(version):
        text = f"MongoDB {version} is newer than the documented sets{_also(expected.user, found.newer)}"
        yield noted(Subject.SERVER, text)
    if found.accepted:
        yield noted(Subject.SERVER, f"accepted in access.yaml{_also(expected.user, found.accepted)}")
    yield from _listed(expected, Subject.EXCESS, found.wrong, excess_sentence)
    yield from _listed(
        expected, Subject.MISSING, declared - tolerated - identity.privileges, missing_sentence
    )


def excess_of(expected: Expectations, identity: Identity, declared: Privileges, version: str) -> Excess:
    """Sort what the login holds beyond the declared privileges, with those that patch releases may add."""
    return excess(identity.privileges, declared, expected.roles, expected.accepted_actions, version)


def _also(user: str, privileges: Iterable[Privilege]) -> str:
    shown = sorted({f"{each.action} ({effect_of(each.action)})" for each in privileges})
    return f": {user} also holds {', '.join(shown)}" if shown else ""


def _listed(
    expected: Expectations,
    subject: Subject,
    found: Iterable[Privilege],
    sentence: Callable[[str, Privilege], str],
) -> Iterable[Finding]:
    privileges = sorted(found, key=lambda each: _weight(each, expected.audit))
    for privilege in privileges[:SHOWN]:
        yield refuted(subject, sentence(expected.user, privilege))
    if len(privileges) > SHOWN:
        yield refuted(subject, f"{expected.user}: {len(privileges) - SHOWN} more privileges in {subject}")


def _weight(privilege: Privilege, audit: Place) -> tuple[bool, Privilege]:
    """Order what reaches the audit log first."""
    return not privilege.covers(audit.database, audit.collection), privilege
