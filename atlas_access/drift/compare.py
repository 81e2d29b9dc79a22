"""The drift check: what was read of the live systems against what is declared, as findings with one answer.

Sources: ADR 0001, 0004 and 0006, access.yaml and known-users.yaml. Every part is compared, even if another differs;
what could not be read is listed, and no answer is clean while anything is. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from atlas_access.base import Address, Phase, Settings, Unread
from atlas_access.clients import ObservedCluster, ObservedEvent
from atlas_access.drift.compare_roles import RoleRules, compare_roles
from atlas_access.drift.compare_secrets import InventoryRules, compare_key, compare_secrets
from atlas_access.drift.compare_tasks import compare_other_task, compare_task, not_inspected
from atlas_access.drift.compare_users import UserRules, compare_users, holders
from atlas_access.drift.finding import Difference, Drift, Kind
from atlas_access.drift.messages import listed
from atlas_access.drift.model import NotReached, Observed, ObservedCollections, ObservedSecret, ObservedView
from atlas_access.manifest import (
    ADMIN_DATABASE,
    Binding,
    Consumer,
    DataClass,
    KnownUser,
    Manifest,
    ViewFamily,
    declared_privileges,
    tolerated_privileges,
)
from atlas_access.privileges import (
    Excess,
    Privileges,
    excess,
    excess_sentence,
    missing_sentence,
    sentences_of,
)

T = TypeVar("T")

NEAR = timedelta(days=30)
"""How long before its end the secret by which Atlas is asked is a finding."""


@dataclass(frozen=True)
class Wanted:
    """What one stack is held to. `retired` overrides whether legacy access should be gone (None: by the phase)."""

    stack: str
    manifest: Manifest
    settings: Settings
    known: tuple[KnownUser, ...]
    now: datetime
    retired: bool | None = None

    @property
    def legacy_is_gone(self) -> bool:
        """Whether legacy users, roles and secrets count as drift: from phase `retire` on."""
        return self.settings.phase is Phase.RETIRE if self.retired is None else self.retired

    @property
    def reader(self) -> Binding | None:
        """The service's binding by which this cluster's collections are listed: the first user of it that may read."""
        mine = [
            binding
            for binding in self.manifest.bindings_for(self.stack, Consumer.SERVICE)
            if binding.cluster == self.stack and binding.address is Address.PUBLIC
        ]
        for binding in mine:
            roles = self.manifest.user(binding.user).roles
            if any(role.name == "read" and role.database == self.manifest.database for role in roles):
                return binding
        return None

    @property
    def inventory(self) -> InventoryRules:
        """What the AWS account is held to, but for the key's ARN, which is read."""
        return InventoryRules(
            manifest=self.manifest,
            environment=self.stack,
            account=self.settings.aws_account_id,
            region=self.settings.aws_region,
            key_arn="",
            key_alias=self.settings.kms_alias,
            phase=self.settings.phase,
            retired=self.legacy_is_gone,
            now=self.now,
        )


def compare(wanted: Wanted, observed: Observed) -> Drift:
    """Return every difference, what could not be read, and what could not be reached."""
    findings = [
        *_project(wanted, observed),
        *_account(wanted, observed),
        *_collections(wanted, observed.collections),
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
    parts += [observed.collections, *_not_compared(wanted, observed.collections)]
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


def _collections(wanted: Wanted, observed: ObservedCollections | Unread | NotReached) -> Iterator[Difference]:
    if not isinstance(observed, ObservedCollections):
        return
    manifest, cluster = wanted.manifest, wanted.settings.atlas_cluster
    if observed.weakened:
        yield Difference(
            Kind.CONNECTION_WEAK,
            observed.user,
            "connection string",
            f"the connection string of {observed.user} weakens the connection: {', '.join(observed.weakened)}",
            f"Put AWSCURRENT of {wanted.reader.secret_name if wanted.reader else 'its secret'} back on the version "
            "that tasks are bound to: aws secretsmanager update-secret-version-stage",
            detail=",".join(observed.weakened),
        )
        return
    declared = {each.name: each for each in manifest.collections_on(wanted.stack)}
    declared = {name: each for name, each in declared.items() if each.database == observed.database}
    crossed = any(
        binding.cluster == wanted.stack and binding.environment in set(manifest.environments) - {wanted.stack}
        for binding in manifest.bindings
    )
    views = {each.name: each for each in observed.views}
    phi = {each.name for each in manifest.collections if each.data_class is DataClass.PHI}
    for name in sorted(observed.names):
        place = f"{observed.database}.{name}"
        if crossed and name in phi:
            what = f"{place} is classed phi and lives on {cluster}, which another environment reads"
            remedy = "Move it off this cluster at once, and follow the incident runbook"
            permits = "read protected health data across environments"
            yield Difference(Kind.COLLECTION_PHI, cluster, place, what, remedy, permits)
        elif name not in declared and (family := _family(wanted, observed.database, name)):
            yield from _outside(family, views.get(name), cluster, observed.user, name)
        elif name not in declared:
            what = f"{place} exists on {cluster} and access.yaml does not list it there"
            remedy = "Declare it with its data class under collections:, or drop it"
            permits = f"read it with {observed.user}, whose role covers every collection"
            yield Difference(Kind.COLLECTION_UNDECLARED, cluster, place, what, remedy, permits)
    for name in sorted(declared.keys() - observed.names):
        if not declared[name].may_be_absent:
            place = f"{observed.database}.{name}"
            what = f"{place} is declared on {cluster} and does not exist"
            remedy = "Restore it, or declare that it may be absent (may_be_absent: true)"
            yield Difference(Kind.COLLECTION_ABSENT, cluster, place, what, remedy)
    yield from _privileges(wanted, observed)


def _family(wanted: Wanted, database: str, name: str) -> ViewFamily | None:
    families = (each for each in wanted.manifest.view_families if wanted.stack in each.on)
    return next((each for each in families if each.database == database and each.holds(name)), None)


def _outside(
    family: ViewFamily, view: ObservedView | None, cluster: str, reader: str, name: str
) -> Iterator[Difference]:
    """A collection or a view that has a family's name and is none of it."""
    place = f"{family.database}.{name}"
    if view is None:
        is_now = "is no view"
    elif view.source != family.source:
        is_now = f"shows {view.source}"
    elif view.fields != (family.field,):
        is_now = f"is filtered by {listed(view.fields) or 'no value'}"
    else:
        return
    what = f"{place} on {cluster} {is_now}; the views {family.name} show {family.source} by {family.field}"
    remedy = "Drop it, or make it again as the family declares"
    permits = f"read with {reader} what no view of the family shows"
    yield Difference(Kind.VIEW_OTHER, cluster, place, what, remedy, permits, detail=is_now)


def _not_compared(wanted: Wanted, observed: ObservedCollections | Unread | NotReached) -> Iterator[Unread]:
    """What the server said of the reader and nothing here can judge: its version, or actions that no table names."""
    if isinstance(observed, ObservedCollections):
        try:
            unknown = _compared(wanted, observed)[0].unknown
        except ValueError as error:
            what = f"privileges of {observed.user} on server {observed.version or 'of no version'}"
            yield Unread(what, str(error))
            return
        for action in sorted({each.action for each in unknown}):
            why = "no table of this project names it; accept it by a decision under accepted_actions of access.yaml"
            yield Unread(f"the action {action} of {observed.user}", why)


def _compared(wanted: Wanted, observed: ObservedCollections) -> tuple[Excess, Privileges]:
    """What the reader holds beyond its declared privileges, and what it lacks of them. Raises ValueError."""
    manifest, user, version = wanted.manifest, observed.user, observed.version
    declared = declared_privileges(manifest, user, version)
    tolerated = tolerated_privileges(manifest, user, version)
    roles = map(str, manifest.user(user).roles)
    beyond = excess(observed.privileges, declared | tolerated, roles, manifest.accepted_actions, version)
    return beyond, declared - tolerated - observed.privileges


def _privileges(wanted: Wanted, observed: ObservedCollections) -> Iterator[Difference]:
    try:
        beyond, missing = _compared(wanted, observed)
    except ValueError:
        return  # reported as unknown: see _not_compared
    extra = beyond.wrong
    parts = (
        (Kind.PRIVILEGE_EXTRA, "more than", extra, excess_sentence),
        (Kind.PRIVILEGE_MISSING, "less than", missing, missing_sentence),
    )
    for kind, compared, privileges, sentence in parts:
        if privileges:
            which = listed((sentence(observed.user, each) for each in sorted(privileges)), 5)
            extra_ones = sentences_of(observed.user, extra) if kind is Kind.PRIVILEGE_EXTRA else ()
            yield Difference(
                kind,
                wanted.settings.atlas_cluster,
                observed.user,
                f"the server lets {observed.user} do {compared} access.yaml declares: {which}",
                "Run `pulumi up --refresh`, then atlas-access prove",
                permits="; ".join(each.removeprefix(f"{observed.user} may ") for each in extra_ones),
                detail=f"{compared} declared",
                heals=True,
            )


def _read(parts: Iterable[T | Unread]) -> tuple[T, ...]:
    return tuple(part for part in parts if not isinstance(part, Unread))


def _count(part: Sequence[object] | Unread) -> int:
    return 0 if isinstance(part, Unread) else len(part)
