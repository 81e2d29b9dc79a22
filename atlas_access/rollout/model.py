"""What ECS says of a service, and how a swap stands by it. Pure: no clock, no network.

ECS `rolloutState` alone proves nothing: it becomes FAILED only with a circuit breaker, and a breaker's own rollback
ends in COMPLETED on the old revision. So the deployment's task definition is compared with the one asked for, and
running with desired (AWS ECS API, Deployment).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from atlas_access.rollout.deployment_kind import alarms, unsupported


@dataclass(frozen=True)
class Deployment:
    """One deployment of a service: its revision and how far it has come.

    `began` and `changed`, the time of its last change, are Unix seconds by AWS's clock, 0 when unknown.
    """

    revision: str
    primary: bool
    state: str
    running: int
    desired: int
    failed_tasks: int
    reason: str
    began: float = 0.0
    changed: float = 0.0


@dataclass(frozen=True)
class ServiceState:
    """What DescribeServices says of one service; `revision` is the one it was last asked to run.

    `unsupported` is why a rollout cannot follow its deployments, `alarms` those by which ECS itself ends one.
    """

    status: str
    revision: str
    desired: int
    deployments: tuple[Deployment, ...]
    latest_event: str
    arn: str = ""
    unsupported: str = ""
    alarms: tuple[str, ...] = ()

    @classmethod
    def of(cls, service: Mapping[str, Any]) -> ServiceState:
        """Read one entry of DescribeServices."""
        events: Sequence[Mapping[str, Any]] = service.get("events") or [{}]
        return cls(
            status=str(service.get("status", "")),
            revision=str(service["taskDefinition"]),
            desired=int(service.get("desiredCount", 0)),
            deployments=tuple(
                Deployment(
                    revision=str(each["taskDefinition"]),
                    primary=each.get("status") == "PRIMARY",
                    state=str(each.get("rolloutState", "")),
                    running=int(each.get("runningCount", 0)),
                    desired=int(each.get("desiredCount", 0)),
                    failed_tasks=int(each.get("failedTasks", 0)),
                    reason=str(each.get("rolloutStateReason", "")),
                    began=_seconds(each.get("createdAt")),
                    changed=_seconds(each.get("updatedAt") or each.get("createdAt")),
                )
                for each in service.get("deployments", [])
            ),
            latest_event=str(events[0].get("message", "")),
            arn=str(service.get("serviceArn", "")),
            unsupported=unsupported(service),
            alarms=alarms(service),
        )

    @property
    def primary(self) -> Deployment | None:
        """The deployment that ECS is moving towards."""
        return next((each for each in self.deployments if each.primary), None)

    @property
    def stable(self) -> bool:
        """Whether one deployment alone remains, completed, with every desired task running."""
        primary = self.primary
        return (
            len(self.deployments) == 1
            and primary is not None
            and primary.revision == self.revision
            and primary.state in ("COMPLETED", "")
            and primary.running == primary.desired == self.desired
        )

    @property
    def counted(self) -> str:
        """`2/2`: running of desired, over all deployments."""
        return f"{sum(each.running for each in self.deployments)}/{self.desired}"

    def runs(self, revision: str) -> bool:
        """Whether that revision alone runs, complete and stable."""
        return self.stable and self.revision == revision


class Progress(StrEnum):
    """How a swap stands: under way, arrived on the wanted revision, or failed."""

    WAITING = "waiting"
    ARRIVED = "arrived"
    FAILED = "failed"


@dataclass(frozen=True)
class Judgement:
    """A swap's progress, and why in one line."""

    progress: Progress
    why: str


def refusal(state: ServiceState) -> str | None:
    """Why a swap must not start now, or None."""
    if state.status != "ACTIVE":
        return f"the service is {state.status or 'absent'}, not ACTIVE"
    if state.desired == 0:
        return "the service runs no task (desired 0), so nothing would show that the new revision works"
    if state.unsupported:
        return state.unsupported
    if not state.stable:
        return "a deployment is under way; wait until it is COMPLETED with every task running"
    return None


def judge(state: ServiceState, wanted: str) -> Judgement:
    """How the swap onto `wanted` stands, after the service was asked to run it."""
    primary = state.primary
    if state.status != "ACTIVE":
        return Judgement(Progress.FAILED, f"the service is {state.status or 'absent'}, not ACTIVE")
    if primary is None:
        return Judgement(Progress.WAITING, "ECS shows no primary deployment yet")
    if primary.revision != wanted:
        said = _said(state, wanted) or primary.reason or state.latest_event
        return Judgement(Progress.FAILED, f"ECS went back to {short(primary.revision)}: {said}")
    if primary.state == "FAILED":
        return Judgement(Progress.FAILED, primary.reason or state.latest_event or "the deployment failed")
    if state.runs(wanted):
        return Judgement(Progress.ARRIVED, f"{short(wanted)} running {primary.running}/{primary.desired}")
    if primary.failed_tasks >= failures_allowed(state.desired):
        return Judgement(
            Progress.FAILED,
            f"{primary.failed_tasks} tasks of {short(wanted)} failed to start: {state.latest_event or primary.reason}",
        )
    failed = f", {primary.failed_tasks} failed" if primary.failed_tasks else ""
    others = sum(each.running for each in state.deployments if not each.primary)
    draining = f", {others} of before still there" if others else ""
    return Judgement(
        Progress.WAITING, f"{short(wanted)} running {primary.running}/{primary.desired}{failed}{draining}"
    )


def failures_allowed(desired: int) -> int:
    """How many tasks may fail to start before a deployment has failed: half of the desired count, 3 to 200.

    The measure of ECS's own circuit breaker (ECS developer guide, "How the Amazon ECS deployment circuit breaker
    detects failures"), applied where a service has none.
    """
    return min(max(3, -(-desired // 2)), 200)


def short(revision_arn: str) -> str:
    """`family:revision` of a task-definition ARN."""
    return revision_arn.rsplit("/", 1)[-1]


def _said(state: ServiceState, wanted: str) -> str:
    """What ECS said of the deployment that it gave up."""
    return next((each.reason for each in state.deployments if each.revision == wanted), "")


def _seconds(moment: object) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else 0.0
