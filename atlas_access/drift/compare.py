"""The drift check: what was read of the live systems against what is declared, as findings with one answer.

Sources: ADR 0001, 0004 and 0006, access.yaml and known-users.yaml. Every part is compared, even if another differs;
what could not be read is listed, and no answer is clean while anything is. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from atlas_access.base import Address, Unread
from atlas_access.clients import ObservedCluster, ObservedEvent
from atlas_access.drift.compare_collections import compare_collections, not_compared
from atlas_access.drift.compare_roles import RoleRules, compare_roles
from atlas_access.drift.compare_secrets import compare_key, compare_secrets
from atlas_access.drift.compare_tasks import compare_other_task, compare_task, not_inspected
from atlas_access.drift.compare_users import UserRules, compare_users, holders
from atlas_access.drift.finding import Difference, Drift, Kind
from atlas_access.drift.model import NotReached, Observed, ObservedCollections, ObservedSecret
from atlas_access.drift.wanted import Wanted
from atlas_access.manifest import (
    ADMIN_DATABASE,
)

T = TypeVar("T")

NEAR = timedelta(days=30)
"""How long before its end the secret by which Atlas is asked is a finding."""


def compare(wanted: Wanted, observed: Observed) -> Drift:
    """Return every difference, what could not be read, and what could not be reached."""
    findings = [
        *_project(wanted, observed),
        *_account(wanted, observed),
        *compare_collections(wanted, observed.collections),
        *_credentials(wanted, observed.ends),
    ]
    parts: list[object] = [
        observed.users,
        observed.roles,
        observed.cluster,
        observed.key,
        *observed.secrets,
        *observed.tasks,
    ]
    parts += [observed.other_tasks, observed.ends]
    parts += [observed.collections, *not_compared(wanted, observed.collections)]
    parts += [each for task in _read(observed.tasks) for each in not_inspected(task)]
    counts = (
        ("users", _count(observed.users)),
        ("roles", _count(observed.roles)),
        ("secrets", len(_read(observed.secrets))),
        ("task definitions", len(_read(observed.tasks))),
        ("other families", _count(observed.other_tasks)),
        (
            "collections",
            len(observed.collections.names) if isinstance(observed.collections, ObservedCollections) else 0,
        ),
    )
    return Drift(
        stack=wanted.stack,
        at=wanted.now,
        findings=tuple(sorted(findings, key=lambda finding: (not finding.permits, finding.identity))),
        unread=tuple(part for part in parts if isinstance(part, Unread)),
        not_reached=tuple(part for part in parts if isinstance(part, NotReached)),
        checked=counts,
    )


def attributed(drift: Drift, events: Sequence[ObservedEvent] | Unread) -> Drift:
    """Return the same drift with since when and by whom, as far as Atlas's events name the user or the role."""
    if isinstance(events, Unread):
        return replace(drift, unread=(*drift.unread, events))
    newest = sorted(events, key=lambda event: event.at, reverse=True)
    return replace(drift, findings=tuple(_attributed(finding, newest) for finding in drift.findings))


def _attributed(finding: Difference, newest: Sequence[ObservedEvent]) -> Difference:
    target = finding.target
    if target is None:
        return finding
    gone = finding.kind in (Kind.USER_MISSING, Kind.ROLE_MISSING, Kind.LEGACY_MISSING)
    wanted = ("DELETED",) if gone else ("UPDATED", "ADDED")
    types = {f"MONGODB_{target.kind}_{done}" for done in wanted}
    for event in newest:
        words = event.text.replace(",", " ").replace('"', " ").split()
        named = event.user == target.name if target.kind == "USER" and event.user else target.name in words
        if event.type in types and named:
            return replace(finding, since=event.at, by=event.by)
    return finding


def _project(wanted: Wanted, observed: Observed) -> Iterator[Difference]:
    manifest, cluster = wanted.manifest, wanted.settings.atlas_cluster
    legacy = manifest.legacy_on(wanted.stack)
    gone = wanted.legacy_is_gone
    if not isinstance(observed.users, Unread):
        rules = UserRules(
            manifest=manifest,
            environment=wanted.stack,
            cluster=cluster,
            legacy=() if gone else legacy,
            retired=legacy if gone else (),
            known=wanted.known,
            now=wanted.now,
            generations=wanted.settings.users,
        )
        yield from compare_users(rules, observed.users)
    if not isinstance(observed.roles, Unread):
        names = frozenset(user.role.name for user in legacy if user.role.database == ADMIN_DATABASE)
        none: frozenset[str] = frozenset()
        roles = RoleRules(manifest, cluster, none if gone else names, names if gone else none)
        held = {} if isinstance(observed.users, Unread) else holders(observed.users)
        yield from compare_roles(roles, observed.roles, held)
    if isinstance(observed.cluster, ObservedCluster):
        yield from _cluster(wanted, observed.cluster)


def _cluster(wanted: Wanted, cluster: ObservedCluster) -> Iterator[Difference]:
    readers = sorted(
        {
            f"{binding.variable} of {binding.environment}"
            for binding in wanted.manifest.bindings
            if binding.cluster == wanted.stack and binding.address is Address.PRIVATE
        }
    )
    if readers and cluster.private_endpoints != 1:
        count = str(cluster.private_endpoints)
        what = f"{cluster.name} has {count} private endpoints; {', '.join(readers)} needs exactly one"
        remedy = "Have the private endpoint accepted in Atlas again (ADR 0004), or remove those that are not in use"
        yield Difference(Kind.ENDPOINT_MISSING, cluster.name, "private endpoint", what, remedy, detail=count)


def _credentials(wanted: Wanted, ends: datetime | NotReached | None) -> Iterator[Difference]:
    """The secret by which Atlas is asked, where it expires: without it nothing is deployed, proven or checked."""
    if isinstance(ends, datetime) and ends - wanted.now < NEAR:
        day = f"{ends:%Y-%m-%d}"
        what = (
            f"the secret of the Atlas service account ends on {day}: nothing can be deployed or checked then"
        )
        remedy = "Make a new secret of it in Atlas: docs/runbooks/rotate-keys.md"
        yield Difference(Kind.CREDENTIALS_END, "Atlas", "service account", what, remedy, detail=day)


def _account(wanted: Wanted, observed: Observed) -> Iterator[Difference]:
    rules = wanted.inventory
    if not isinstance(observed.key, Unread):
        rules = replace(rules, key_arn=observed.key.arn)
        yield from compare_key(rules, observed.key)
    secrets: tuple[ObservedSecret, ...] = _read(observed.secrets)
    yield from compare_secrets(rules, secrets)
    by_name = {secret.name: secret for secret in secrets}
    for task in _read(observed.tasks):
        yield from compare_task(rules, task, by_name)
    for other_task in () if isinstance(observed.other_tasks, Unread) else observed.other_tasks:
        yield from compare_other_task(rules, other_task, by_name)


def _read(parts: Iterable[T | Unread]) -> tuple[T, ...]:
    return tuple(part for part in parts if not isinstance(part, Unread))


def _count(part: Sequence[object] | Unread) -> int:
    return 0 if isinstance(part, Unread) else len(part)
