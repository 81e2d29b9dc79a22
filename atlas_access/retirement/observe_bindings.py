"""Every task-definition revision of an account that names something legacy, and everything that runs or schedules one.

All families, all clusters: services with their deployments, tasks of any kind, rules of EventBridge on every bus, and
schedules of EventBridge Scheduler. It must never read a secret, keep the value of a variable, or take a list that could
not be read whole for an empty one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.session import Session

from atlas_access.base import Endpoints, Unread
from atlas_access.clients import AccountPlace, AwsUnavailable, ask, client, session_in
from atlas_access.retirement.bindings import LegacyNames, named_in
from atlas_access.retirement.observed import BoundRevision, SeenAccount

_WORKERS = 8
_BATCH, _TASKS = 10, 100


@dataclass(frozen=True)
class _Account:
    ecs: Any
    events: Any
    scheduler: Any

    @classmethod
    def open(cls, place: AccountPlace, endpoints: Endpoints, session: Session | None) -> _Account:
        made = {
            name: client(name, place.region, endpoints, session=session)
            for name in ("ecs", "events", "scheduler")
        }
        return cls(**made)


def look(place: AccountPlace, legacy: LegacyNames, endpoints: Endpoints) -> SeenAccount | Unread:
    """Look through one account; an `Unread` when any part of it could not be read."""
    try:
        session = session_in(place, endpoints, "retirement")
        return _look(place, legacy, _Account.open(place, endpoints, session))
    except AwsUnavailable as error:
        return Unread(f"task definitions of {place.environment}", str(error))


def _look(place: AccountPlace, legacy: LegacyNames, account: _Account) -> SeenAccount:
    used: dict[str, list[str]] = defaultdict(list)
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        parts = [
            pool.submit(lambda: list(_run(account.ecs))),
            pool.submit(lambda: list(_ruled(account.events))),
            pool.submit(lambda: list(_scheduled(account.scheduler))),
        ]
        active = list(_listed(account.ecs, "list_task_definitions", "taskDefinitionArns", status="ACTIVE"))
        latest = _latest(active)
        for part in parts:
            for name, how in part.result():
                revision = name if ":" in name.rpartition("/")[2] else latest.get(_family(name), "")
                if revision:
                    used[revision].append(how)
        every = list(dict.fromkeys((*active, *used)))
        definitions = list(pool.map(lambda arn: _definition(account.ecs, arn), every))
    current = set(active)
    bound = []
    for arn, definition in zip(every, definitions, strict=True):
        full = str(definition["taskDefinitionArn"])
        names = named_in(definition, legacy)
        if names:
            bound.append(BoundRevision(full, full in current, names, tuple(dict.fromkeys(used.get(arn, ())))))
    return SeenAccount(place.environment, len(every), _merged(bound))


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
    for cluster in _listed(ecs, "list_clusters", "clusterArns"):
        named = cluster.rpartition("/")[2]
        services = list(_listed(ecs, "list_services", "serviceArns", cluster=cluster))
        for batch in _batches(services, _BATCH):
            answer = ask(
                f"describing services of {named}", ecs.describe_services, cluster=cluster, services=batch
            )
            _whole(answer, f"describing services of {named}")
            for service in answer["services"]:
                if service.get("status") != "INACTIVE":
                    how = f"service {service['serviceName']}"
                    sets = (*(service.get("deployments") or ()), *(service.get("taskSets") or ()), service)
                    yield from (
                        (str(each["taskDefinition"]), how) for each in sets if each.get("taskDefinition")
                    )
        for status in ("RUNNING", "PENDING"):
            tasks = list(_listed(ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus=status))
            for batch in _batches(tasks, _TASKS):
                answer = ask(f"describing tasks of {named}", ecs.describe_tasks, cluster=cluster, tasks=batch)
                for task in answer["tasks"]:
                    if task.get("lastStatus") != "STOPPED":
                        yield (
                            str(task["taskDefinitionArn"]),
                            f"task {str(task['taskArn']).rpartition('/')[2][:8]}",
                        )


def _ruled(events: Any) -> Iterator[tuple[str, str]]:
    """What rules of EventBridge name, on every bus; a disabled rule counts: somebody may enable it."""
    buses = [str(each["Name"]) for each in _items(events, "list_event_buses", "EventBuses")]
    for bus in buses:
        for rule in _items(events, "list_rules", "Rules", EventBusName=bus):
            name = str(rule["Name"])
            for target in _items(events, "list_targets_by_rule", "Targets", Rule=name, EventBusName=bus):
                named = (target.get("EcsParameters") or {}).get("TaskDefinitionArn")
                if named:
                    yield str(named), f"rule {bus}/{name}"


def _scheduled(scheduler: Any) -> Iterator[tuple[str, str]]:
    """What schedules of EventBridge Scheduler name."""
    for each in _items(scheduler, "list_schedules", "Schedules"):
        name, group = str(each["Name"]), str(each.get("GroupName") or "default")
        found = ask(f"reading the schedule {name}", scheduler.get_schedule, Name=name, GroupName=group)
        named = ((found.get("Target") or {}).get("EcsParameters") or {}).get("TaskDefinitionArn")
        if named:
            yield str(named), f"schedule {group}/{name}"


def _definition(ecs: Any, arn: str) -> Mapping[str, Any]:
    short = arn.rpartition("/")[2]
    answer = ask(f"describing {short}", ecs.describe_task_definition, taskDefinition=arn)
    definition: Mapping[str, Any] = answer["taskDefinition"]
    return definition


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


def _listed(ecs: Any, operation: str, key: str, **asked: object) -> Iterator[str]:
    token = ""
    while True:
        more = {"nextToken": token} if token else {}
        answer = ask(f"ecs {operation}", getattr(ecs, operation), **asked, **more)
        yield from (str(each) for each in answer.get(key) or ())
        token = str(answer.get("nextToken") or "")
        if not token:
            return


def _items(api: Any, operation: str, key: str, **asked: object) -> Iterator[Mapping[str, Any]]:
    token = ""
    while True:
        more = {"NextToken": token} if token else {}
        answer = ask(f"eventbridge {operation}", getattr(api, operation), **asked, **more)
        yield from answer.get(key) or ()
        token = str(answer.get("NextToken") or "")
        if not token:
            return


def _whole(answer: Mapping[str, Any], what: str) -> None:
    if answer.get("failures"):
        raise AwsUnavailable(what, "not all of them")


def _batches(items: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
