"""The effects on an ECS service: look, mark, swap, and ask why tasks stopped. Each is named and repeatable.

`atlas_access.rollout.decide` decides. Waiting has no place here either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from atlas_access.base import registrable
from atlas_access.clients import describe_definition, describe_service, tags_of
from atlas_access.rollout.model import ServiceState, short
from atlas_access.rollout.service_tags import (
    BOUND_KEYS,
    HEARTBEAT,
    HELD,
    LEASE_KEYS,
    PREFIX,
    WISH,
    Bound,
    Lease,
    ServiceTags,
    clean,
    read_service_tags,
)

_SHOWN_TASKS = 3


class ServiceMissing(LookupError):
    """The cluster has no such service."""


@dataclass(frozen=True)
class Service:
    """One ECS service, by cluster and name."""

    ecs: Any
    cluster: str
    name: str

    def observe(self) -> ServiceState:
        """What runs now. Raises `ServiceMissing`."""
        return self.observe_tagged()[0]

    def observe_tagged(self) -> tuple[ServiceState, ServiceTags]:
        """What runs now, and our service_tags on it, in one answer of ECS. Raises `ServiceMissing`."""
        state, tags = self.observe_tags()
        return state, read_service_tags(tags)

    def observe_tags(self) -> tuple[ServiceState, dict[str, str]]:
        """What runs now, and every tag of the service, in one answer of ECS.

        Raises:
            ServiceMissing: the cluster has no such service.
        """
        found = describe_service(self.ecs, self.cluster, self.name)
        if found is None:
            raise ServiceMissing(
                f"ECS cluster {self.cluster} has no service {self.name}. Check atlas-access:ecsCluster and ecsService."
            )
        return ServiceState.of(found), tags_of(found)

    def definition(self, revision: str) -> dict[str, Any]:
        """A revision's full definition with its tags, as RegisterTaskDefinition would take it back."""
        return describe_definition(self.ecs, revision)

    def register(self, definition: Mapping[str, Any]) -> str:
        """Register a described definition again, with its tags but AWS's and ours; the new revision's ARN."""
        asked = registrable(definition)
        tags = [each for each in asked.pop("tags", ()) if not each["key"].startswith(PREFIX)]
        answer = self.ecs.register_task_definition(**asked, **({"tags": tags} if tags else {}))
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def swap(self, revision: str) -> None:
        """Tell the service to run `revision`."""
        self.ecs.update_service(cluster=self.cluster, service=self.name, taskDefinition=revision)

    def take(self, arn: str, lease: Lease, held: int | None) -> None:
        """Write a lease, with a hold where one is given, in one request."""
        self._tag(arn, lease.tags() | _hold(held))

    def beat(self, arn: str, wall: float) -> None:
        """Write a heartbeat, and nothing else: a wish to undo may have been written meanwhile."""
        self._tag(arn, {HEARTBEAT: f"{wall:.3f}"})

    def wish(self, arn: str, cause: str, held: int | None) -> None:
        """Write into the lease, whoever's it is, that it is to be undone."""
        self._tag(arn, {WISH: clean(cause) or "undo"} | _hold(held))

    def hold(self, arn: str, release: int) -> None:
        """Hold the service until a higher release is configured."""
        self._tag(arn, _hold(release))

    def bind(self, arn: str, bound: Bound) -> None:
        """Record what the service is bound to."""
        self._tag(arn, bound.tags())

    def release(self, arn: str, *, freely: bool = False) -> None:
        """Take the lease off; with `freely`, a hold too."""
        self._untag(arn, (*LEASE_KEYS, *((HELD,) if freely else ())))

    def settle(self, arn: str) -> None:
        """Take the lease and the record of what was bound off, in one request."""
        self._untag(arn, (*BOUND_KEYS, *LEASE_KEYS))

    def stop_reasons(self, revision: str) -> tuple[str, ...]:
        """Why tasks of a revision stopped, each reason once; empty when ECS has forgotten them."""
        listed = self.ecs.list_tasks(cluster=self.cluster, serviceName=self.name, desiredStatus="STOPPED")
        arns = list(listed.get("taskArns") or ())[:100]
        if not arns:
            return ()
        tasks = self.ecs.describe_tasks(cluster=self.cluster, tasks=arns).get("tasks") or ()
        found = [
            _stopped(task)
            for task in tasks
            if task.get("taskDefinitionArn") == revision
            and task.get("stopCode") != "ServiceSchedulerInitiated"
        ]
        return tuple(dict.fromkeys(filter(None, found)))[:_SHOWN_TASKS]

    def _tag(self, arn: str, tags: Mapping[str, str]) -> None:
        self.ecs.tag_resource(
            resourceArn=arn, tags=[{"key": key, "value": value} for key, value in tags.items()]
        )

    def _untag(self, arn: str, keys: Iterable[str]) -> None:
        self.ecs.untag_resource(resourceArn=arn, tagKeys=list(keys))


def _hold(release: int | None) -> dict[str, str]:
    return {} if release is None else {HELD: str(release)}


def _stopped(task: Mapping[str, Any]) -> str:
    """`app:8 stopped: EssentialContainerExited (app: exit code 1)`."""
    reason = str(task.get("stoppedReason") or task.get("stopCode") or "")
    exits = [
        f"{each.get('name')}: exit code {each['exitCode']}"
        for each in task.get("containers") or ()
        if each.get("exitCode")
    ]
    why = f"{reason} ({', '.join(exits)})" if exits else reason
    return f"{short(str(task.get('taskDefinitionArn', '')))} stopped: {why}" if why else ""
