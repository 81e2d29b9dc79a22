"""The effects on an ECS service: look, swap, wait. Each is named, bounded by a deadline, and repeatable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from rollout.plan import Judgement, Progress, ServiceState, judge, short

#: Seconds between two looks at the service; ECS itself moves in seconds.
POLL_SECONDS = 2.0


class ServiceMissing(LookupError):
    """The cluster has no such service."""


class EcsApi(Protocol):
    """The part of the ECS client that moves a service."""

    def describe_services(self, *, cluster: str, services: list[str]) -> Any:
        """API DescribeServices."""

    def update_service(self, *, cluster: str, service: str, taskDefinition: str) -> Any:  # noqa: N803 - boto3
        """API UpdateService."""

    def describe_task_definition(self, *, taskDefinition: str) -> Any:  # noqa: N803 - boto3
        """API DescribeTaskDefinition."""


@dataclass(frozen=True)
class Service:
    """One ECS service, by cluster and name."""

    ecs: EcsApi
    cluster: str
    name: str
    poll_seconds: float = POLL_SECONDS
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep

    def look(self) -> ServiceState:
        """What runs now.

        Raises:
            ServiceMissing: the cluster has no such service.
        """
        answer = self.ecs.describe_services(cluster=self.cluster, services=[self.name])
        if not answer["services"]:
            raise ServiceMissing(
                f"ECS cluster {self.cluster} has no service {self.name}. Check atlas-access:ecsCluster and ecsService."
            )
        return ServiceState.of(answer["services"][0])

    def definition(self, revision: str) -> dict[str, Any]:
        """A revision's full definition, as RegisterTaskDefinition would take it back."""
        found: dict[str, Any] = self.ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
        return found

    def swap(self, revision: str) -> None:
        """Tell the service to run `revision`."""
        self.ecs.update_service(cluster=self.cluster, service=self.name, taskDefinition=revision)

    def wait(self, revision: str, deadline_seconds: float, say: Callable[[str], None]) -> Judgement:
        """Wait until `revision` alone runs, or the swap has failed, or the deadline has passed (then WAITING)."""
        end = self.clock() + deadline_seconds
        said = ""
        while True:
            judgement = judge(self.look(), revision)
            if judgement.why != said:
                said = judgement.why
                say(said)
            if judgement.progress is not Progress.WAITING:
                return judgement
            if self.clock() >= end:
                return Judgement(
                    Progress.WAITING, f"{short(revision)} not stable after {deadline_seconds:.0f} s: {said}"
                )
            self.pause(min(self.poll_seconds, max(0.0, end - self.clock())))
