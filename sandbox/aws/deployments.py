"""Records behind `list-service-deployments` and `describe-service-revisions`, which moto lacks.

Shapes and states: ECS API reference, `ServiceDeployment`.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any


def now() -> datetime:
    """Return the time that goes into records."""
    return datetime.now(UTC)


@dataclass
class ServiceDeployment:
    """One deployment of one service, from its start to its end."""

    service_arn: str
    cluster_arn: str
    task_definition: str
    status: str = "IN_PROGRESS"
    reason: str | None = None
    created: datetime = field(default_factory=now)
    finished: datetime | None = None
    key: str = field(default_factory=lambda: token_hex(11)[:21])

    @property
    def arn(self) -> str:
        """The deployment's own ARN."""
        return f"{self.service_arn.replace(':service/', ':service-deployment/')}/{self.key}"

    @property
    def revision_arn(self) -> str:
        """The ARN of the service revision that this deployment brings."""
        number = int(self.key, 16) % 10**19
        return f"{self.service_arn.replace(':service/', ':service-revision/')}/{number:019d}"

    def end(self, status: str, reason: str | None = None) -> None:
        """Close the record once; a closed record stays as it is."""
        if self.finished is None:
            self.status, self.reason, self.finished = status, reason, now()

    def brief(self) -> dict[str, Any]:
        """Return what the list shows."""
        return {
            "serviceDeploymentArn": self.arn,
            "serviceArn": self.service_arn,
            "clusterArn": self.cluster_arn,
            "createdAt": self.created,
            "startedAt": self.created,
            "finishedAt": self.finished,
            "targetServiceRevisionArn": self.revision_arn,
            "status": self.status,
            "statusReason": self.reason,
        }

    def revision(self) -> dict[str, Any]:
        """Return the service revision, which names the task definition."""
        return {
            "serviceRevisionArn": self.revision_arn,
            "serviceArn": self.service_arn,
            "clusterArn": self.cluster_arn,
            "taskDefinition": self.task_definition,
            "launchType": "FARGATE",
            "createdAt": self.created,
        }


def breaker_threshold(desired: int) -> int:
    """Return how many tasks must fail before the circuit breaker acts: half of the desired count, 3 to 200.

    ECS developer guide, "How the Amazon ECS deployment circuit breaker detects failures".
    """
    return min(max(3, -(-desired // 2)), 200)


def set_state(deployment: dict[str, Any], state: str, tail: str) -> None:
    """Set the rollout state of one of moto's deployments, with ECS's sentence for it."""
    deployment["rolloutState"] = state
    deployment["rolloutStateReason"] = f"ECS deployment {deployment['id']} {tail}"
    deployment["updatedAt"] = now()


def event(service: Any, text: str) -> None:
    """Record an event of a service; the newest come first, and ECS keeps 100."""
    entry = {
        "id": f"event-{time.time_ns()}",
        "createdAt": now(),
        "message": f"(service {service.name}) {text}",
    }
    service.events.insert(0, entry)
    del service.events[100:]
