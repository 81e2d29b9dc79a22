"""What a drift check found: findings, what could not be read, and the one answer that follows.

Green means that everything was read. No record holds a secret.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from atlas_access.base import Status, Unread
from atlas_access.drift.model import NotReached


class Kind(StrEnum):
    """What kind of difference a finding is."""

    USER_MISSING = "user missing"
    USER_UNMANAGED = "user unmanaged"
    USER_SIGN_IN = "user signs in without a password of ours"
    USER_TEMPORARY = "user is temporary"
    USER_ENDLESS = "temporary user without an end"
    KNOWN_EXPIRED = "known user past its end date"
    LEGACY_MISSING = "legacy user missing before its retirement"
    LEGACY_PRESENT = "legacy access present after its retirement"
    ROLE_HELD_EXTRA = "user holds an extra role"
    ROLE_HELD_MISSING = "user lacks a role"
    BUILTIN_ESCALATION = "escalation by a built-in role"
    ROLE_WRONG_DATABASE = "role at the wrong database"
    SCOPE_EXTRA = "extra scope"
    SCOPE_MISSING = "missing scope"
    ROLE_MISSING = "role missing"
    ROLE_UNMANAGED = "role unmanaged"
    ROLE_WIDE = "legacy role reaches too far"
    ACTION_EXTRA = "extra action"
    ACTION_MISSING = "missing action"
    COLLECTION_EXTRA = "extra collection in a role"
    COLLECTION_MISSING = "missing collection in a role"
    INHERITED_EXTRA = "inherited role"
    ENDPOINT_MISSING = "private endpoint missing"
    SECRET_MISSING = "secret missing"  # noqa: S105 - a kind of finding
    SECRET_KEY = "secret under another key"  # noqa: S105
    SECRET_RECOVERY = "secret in its recovery window"  # noqa: S105
    SECRET_POLICY = "secret with a resource policy"  # noqa: S105
    SECRET_STALE = "stale secret"  # noqa: S105
    SECRET_ROTATION = "secret that rotates by itself"  # noqa: S105
    ROTATION_DUE = "rotation due"
    CREDENTIALS_END = "credentials near their end"
    SECRET_REPLICA = "secret copied to another region"  # noqa: S105
    KEY_UNUSABLE = "key not usable"
    BINDING_LEGACY = "legacy binding"
    BINDING_WRONG = "wrong binding"
    BINDING_MISSING = "missing binding"
    BINDING_UNPINNED = "unpinned binding"
    BINDING_UNDECLARED = "undeclared binding"
    BINDING_PLAIN = "credential in plain view"
    PRIVILEGE_EXTRA = "server grants more"
    PRIVILEGE_MISSING = "server grants less"
    COLLECTION_UNDECLARED = "undeclared collection"
    VIEW_OTHER = "view outside its family"
    COLLECTION_ABSENT = "collection absent"
    CONNECTION_WEAK = "connection string that weakens its connection"
    COLLECTION_PHI = "protected health data on a cluster that others read"


class Part(StrEnum):
    """What a finding was observed in; what was not inspected again says nothing of the findings in it."""

    INVENTORY = "inventory"
    COLLECTIONS = "collections"


_IN_COLLECTIONS = frozenset(
    {
        Kind.PRIVILEGE_EXTRA,
        Kind.PRIVILEGE_MISSING,
        Kind.COLLECTION_UNDECLARED,
        Kind.VIEW_OTHER,
        Kind.COLLECTION_ABSENT,
        Kind.COLLECTION_PHI,
        Kind.CONNECTION_WEAK,
    }
)


Identity = tuple[str, str, str, str]


@dataclass(frozen=True)
class Target:
    """The user or role that Atlas's events would name for a finding; `kind` is "USER" or "ROLE"."""

    kind: str
    name: str


@dataclass(frozen=True)
class Difference:
    """One difference between what is declared and what is.

    `what` and `remedy` are sentences; `permits` completes "it permits to …", "" when it permits nothing. `heals` says
    whether a deploy restores what is declared; otherwise a person must decide. `detail` distinguishes findings of the
    same kind on the same subject. `since` and `by` come from events and are no part of a finding's identity.
    """

    kind: Kind
    where: str
    subject: str
    what: str
    remedy: str
    permits: str = ""
    detail: str = ""
    heals: bool = False
    target: Target | None = None
    since: datetime | None = None
    by: str = ""

    @property
    def identity(self) -> Identity:
        """What makes it the same finding another night."""
        return (self.kind.value, self.where, self.subject, self.detail)

    @property
    def id(self) -> str:
        """8 hexadecimal digits of the identity."""
        return _digest(self.identity)[:8]

    @property
    def part(self) -> Part:
        """What must be inspected again before the finding can be called gone."""
        return Part.COLLECTIONS if self.kind in _IN_COLLECTIONS else Part.INVENTORY


@dataclass(frozen=True)
class Drift:
    """The outcome of one check of one stack; `checked` counts what was compared, by its plural noun.

    `earlier` are differences that a check before a deployment found too: they are reported and decide nothing.
    """

    stack: str
    at: datetime
    findings: tuple[Difference, ...]
    unread: tuple[Unread, ...] = ()
    not_reached: tuple[NotReached, ...] = ()
    checked: tuple[tuple[str, int], ...] = field(default=())
    earlier: tuple[Difference, ...] = ()

    def since(self, before: Collection[Identity]) -> Drift:
        """The same with what was found before kept apart."""
        new = tuple(each for each in self.findings if each.identity not in before)
        return replace(self, findings=new, earlier=tuple(each for each in self.findings if each not in new))

    @property
    def status(self) -> Status:
        """Drift as soon as one difference is certain; clean only when everything that was asked was read."""
        if self.findings:
            return Status.BAD
        return Status.UNKNOWN if self.unread else Status.GOOD

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that are the same for the same set of findings, in whatever order and night."""
        identities = sorted(finding.identity for finding in self.findings)
        return _digest([self.stack, identities])[:16]


def _digest(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
