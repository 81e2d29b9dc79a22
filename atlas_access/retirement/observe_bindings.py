"""Every task-definition revision of an account that names something legacy, and everything that runs or schedules one.

All families, all clusters: services with their deployments, tasks of any kind, rules of EventBridge on every bus, and
schedules of EventBridge Scheduler. No secret and no variable's value is kept; a list that could not be read whole is
unread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from atlas_access.base import Endpoints, Unread
from atlas_access.clients import (
    AccountTarget,
    client,
    clusters,
    describe_definition,
    items,
    read_or_unread,
    running_definitions,
    session_in,
)
from atlas_access.retirement.bindings import LegacyNames, named_in
from atlas_access.retirement.observed import BoundRevision, ObservedAccount

_WORKERS = 8


def observe(place: AccountTarget, legacy: LegacyNames, endpoints: Endpoints) -> ObservedAccount | Unread:
    """LiveState through one account; an `Unread` when any part of it could not be read."""
    return read_or_unread(
        lambda: _observe(place, legacy, endpoints), f"task definitions of {place.environment}"
    )


def _observe(place: AccountTarget, legacy: LegacyNames, endpoints: Endpoints) -> ObservedAccount:
    session = session_in(place, endpoints, "retirement")
    ecs, events, scheduler = (
        client(name, place.region, endpoints, session=session) for name in ("ecs", "events", "scheduler")
    )
    used: dict[str, list[str]] = defaultdict(list)
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        parts = [
            pool.submit(lambda: list(_run(ecs))),
            pool.submit(lambda: list(_ruled(events))),
            pool.submit(lambda: list(_scheduled(scheduler))),
        ]
        active = list(items(ecs.list_task_definitions, "taskDefinitionArns", status="ACTIVE"))
        latest = _latest(active)
        for part in parts:
            for name, how in part.result():
                revision = name if ":" in name.rpartition("/")[2] else latest.get(_family(name), "")
                if revision:
                    used[revision].append(how)
        every = list(dict.fromkeys((*active, *used)))
        definitions = list(pool.map(lambda arn: describe_definition(ecs, arn), every))
    current = set(active)
    bound = []
    for arn, definition in zip(every, definitions, strict=True):
        full = str(definition["taskDefinitionArn"])
        names = named_in(definition, legacy)
        if names:
            bound.append(BoundRevision(full, full in current, names, tuple(dict.fromkeys(used.get(arn, ())))))
    return ObservedAccount(place.environment, len(every), _merged(bound))


def _merged(bound: Sequence[BoundRevision]) -> tuple[BoundRevision, ...]:
    """One entry a revision: what names it by another form of its ARN counts as well."""
    found: dict[str, BoundRevision] = {}
    for each in bound:
        known = found.get(each.arn)
        also = known.used_by if known else ()
        found[each.arn] = BoundRevision(
            each.arn, each.active, each.names, tuple(dict.fromkeys((*also, *each.used_by)))
        )
    return tuple(found[arn] for arn in sorted(found))


def _run(ecs: Any) -> Iterator[tuple[str, str]]:
    """What services and tasks of every cluster run, or are to run."""
    for cluster in clusters(ecs):
        yield from running_definitions(ecs, cluster)


def _ruled(events: Any) -> Iterator[tuple[str, str]]:
    """What rules of EventBridge name, on every bus; a disabled rule counts: somebody may enable it."""
    for bus in [str(each["Name"]) for each in items(events.list_event_buses, "EventBuses")]:
        for rule in items(events.list_rules, "Rules", EventBusName=bus):
            name = str(rule["Name"])
            for target in items(events.list_targets_by_rule, "Targets", Rule=name, EventBusName=bus):
                named = (target.get("EcsParameters") or {}).get("TaskDefinitionArn")
                if named:
                    yield str(named), f"rule {bus}/{name}"


def _scheduled(scheduler: Any) -> Iterator[tuple[str, str]]:
    """What schedules of EventBridge Scheduler name."""
    for each in items(scheduler.list_schedules, "Schedules"):
        name, group = str(each["Name"]), str(each.get("GroupName") or "default")
        found = scheduler.get_schedule(Name=name, GroupName=group)
        named = ((found.get("Target") or {}).get("EcsParameters") or {}).get("TaskDefinitionArn")
        if named:
            yield str(named), f"schedule {group}/{name}"


def _latest(arns: Sequence[str]) -> dict[str, str]:
    """The newest ACTIVE revision of each family: what a family's bare name stands for."""
    found: dict[str, str] = {}
    for arn in arns:
        family = _family(arn)
        if family not in found or _number(arn) > _number(found[family]):
            found[family] = arn
    return found


def _family(arn: str) -> str:
    return arn.rpartition("/")[2].partition(":")[0]


def _number(arn: str) -> int:
    number = arn.rpartition(":")[2]
    return int(number) if number.isdigit() else 0
