"""Compares what a server says of a user with what is declared: identity, roles and privileges, exactly.

The server's own list (`connectionStatus` with `showPrivileges`) is exhaustive, so a privilege that no attempt covers is
found here. An unknown server version is inconclusive.
"""

from collections.abc import Iterable

from atlas_access.privileges import Identity, Privilege, excess_sentence, missing_sentence
from atlas_access.proof.evidence import Finding, Subject
from atlas_access.proof.expectations import ADMIN, Expectations, Place
from atlas_access.proof.verdict import Verdict

SHOWN = 20


def compare(expected: Expectations, identity: Identity, version: str) -> tuple[Finding, ...]:
    """Return every difference; empty when the user is exactly what is declared. `version` is the server's own."""
    return (
        *_identity(expected, identity),
        *_roles(expected, identity),
        *_privileges(expected, identity, version),
    )


def _identity(expected: Expectations, identity: Identity) -> Iterable[Finding]:
    if (identity.user, identity.database) != (expected.user, ADMIN):
        who = f"{identity.user or 'nobody'}@{identity.database or 'nowhere'}"
        yield Finding(Subject.LOGIN, Verdict.REFUTED, f"logged in as {who}, not as {expected.user}@{ADMIN}")


def _roles(expected: Expectations, identity: Identity) -> Iterable[Finding]:
    declared = frozenset(expected.roles)
    for role in sorted(identity.roles - declared):
        text = f"{expected.user} holds the role {role} besides {', '.join(expected.roles)}"
        yield Finding(Subject.ROLES, Verdict.REFUTED, text)
    for role in sorted(declared - identity.roles):
        yield Finding(Subject.ROLES, Verdict.REFUTED, f"{expected.user} lacks the role {role}")


def _privileges(expected: Expectations, identity: Identity, version: str) -> Iterable[Finding]:
    try:
        declared, tolerated = expected.declared(version), expected.tolerated(version)
    except ValueError:
        text = f"the privileges of {', '.join(expected.roles)} on server version {version} are not documented here"
        yield Finding(Subject.SERVER, Verdict.INCONCLUSIVE, text)
        return
    excess = sorted(
        identity.privileges - declared - tolerated, key=lambda each: _weight(each, expected.audit)
    )
    missing = sorted(
        declared - tolerated - identity.privileges, key=lambda each: _weight(each, expected.audit)
    )
    for subject, privileges, sentence in (
        (Subject.EXCESS, excess, excess_sentence),
        (Subject.MISSING, missing, missing_sentence),
    ):
        for privilege in privileges[:SHOWN]:
            yield Finding(subject, Verdict.REFUTED, sentence(expected.user, privilege))
        if len(privileges) > SHOWN:
            more = f"{len(privileges) - SHOWN} more privileges in {subject}"
            yield Finding(subject, Verdict.REFUTED, f"{expected.user}: {more}")


def _weight(privilege: Privilege, audit: Place) -> tuple[bool, Privilege]:
    """Order what reaches the audit log first."""
    return not privilege.covers(audit.database, audit.collection), privilege
