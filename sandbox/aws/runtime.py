"""The container runtime of an ECS agent: `Recorded` runs nothing, `sandbox.ecs.containers` runs processes."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from sandbox.aws.task_secrets import SecretsUnreadable, secret_values


class Life(Enum):
    """How a task's container fares."""

    STARTING = "starting"
    RUNNING = "running"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    EXITED = "exited"


@dataclass(frozen=True)
class Ended:
    """A container that is no more; it has no exit code when it never started."""

    exit_code: int | None = None


class Runtime(Protocol):
    """Runs tasks. Every method returns at once: the agent asks again at its next step."""

    def begin(self, task: Any, definition: Any) -> str | None:
        """Start a task's container; return ECS's stop reason when it cannot."""

    def observe(self, task: Any) -> Life:
        """How its container fares."""

    def withdraw(self, task: Any) -> Ended | None:
        """Take a task out of service and end its container; None while that continues."""


class Recorded:
    """Runs nothing: a service's task is healthy at once, a one-off task exits with 0 once it has run."""

    def begin(self, task: Any, definition: Any) -> str | None:
        """Check that the task's secrets could be read."""
        try:
            secret_values(definition, task.id)
        except SecretsUnreadable as refused:
            return str(refused)
        return None

    def observe(self, task: Any) -> Life:
        """It is healthy, or has exited."""
        one_off = task.last_status == "RUNNING" and not task.group.startswith("service:")
        return Life.EXITED if one_off else Life.HEALTHY

    def withdraw(self, task: Any) -> Ended | None:
        """Nothing runs any more."""
        return Ended(0 if task.stop_code == "EssentialContainerExited" else None)
