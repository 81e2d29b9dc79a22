"""The collections of a cluster and its reader's privileges against what is declared. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_access.base import Unread
from atlas_access.drift.finding import Difference, Kind
from atlas_access.drift.messages import listed
from atlas_access.drift.model import NotReached, ObservedCollections, ObservedView
from atlas_access.drift.wanted import Wanted
from atlas_access.manifest import (
    DataClass,
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


def compare_collections(
    wanted: Wanted, observed: ObservedCollections | Unread | NotReached
) -> Iterator[Difference]:
    """Yield what differs in the collections that the reader sees, and in its own privileges."""
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


def not_compared(wanted: Wanted, observed: ObservedCollections | Unread | NotReached) -> Iterator[Unread]:
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
        return  # reported as unknown: see not_compared
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
