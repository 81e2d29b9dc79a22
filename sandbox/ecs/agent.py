"""The ECS agent for moto's ECS: starts tasks, completes or fails deployments, drains. New tasks are healthy first."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.ecs.models import ecs_backends

from sandbox.aws.deployments import ServiceDeployment, breaker_threshold, event, now, set_state
from sandbox.aws.rolling import Bounds, Tasks, next_move
from sandbox.aws.runtime import Recorded, Runtime
from sandbox.aws.tasks import advance, forget_stopped, healthy, launch, stop, stopped, tasks_of, wanted

_LOG = logging.getLogger(__name__)
_SLOWEST_RETRY = 5.0
_SCHEDULER = "ServiceSchedulerInitiated"
_SCALING = "Scaling activity initiated by (deployment {})"


@dataclass
class _Progress:
    """What the agent knows of a deployment beyond what moto stores."""

    record: ServiceDeployment
    failed: int = 0
    retry_at: float = 0.0


@dataclass
class _Service:
    """A service's deployments as the agent follows them, newest first."""

    history: list[ServiceDeployment] = field(default_factory=list)
    progress: dict[str, _Progress] = field(default_factory=dict)
    last_good: str | None = None


class EcsAgent:
    """Moves every service and task of every account on by one stage per step. Methods may be called by any thread."""

    def __init__(self, step_seconds: float = 0.1, runtime: Runtime | None = None) -> None:
        self.runtime: Runtime = runtime or Recorded()
        self._step_seconds = step_seconds
        self._services: dict[str, _Service] = {}
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Step in the background until `stop`."""
        self._thread = threading.Thread(target=self._run, name="ecs-agent", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background steps."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def created(self, service: Any) -> None:
        """Take over a service that was just created, with its first deployment."""
        with self._lock:
            self._begin(service, service.deployments[0])

    def deploy(self, service: Any, task_definition: str) -> None:
        """Start a deployment of a task definition: it becomes PRIMARY, the one before ACTIVE until it is drained."""
        with self._lock:
            before = service.deployments[0]
            before["status"] = "ACTIVE"
            for deployment in service.deployments:
                self._known(service, deployment).record.end("STOPPED", "superseded by a newer deployment")
            fresh = {
                **before,
                "id": f"ecs-svc/{time.time_ns() % 10**19:019d}",
                "status": "PRIMARY",
                "taskDefinition": task_definition,
                "createdAt": now(),
                "updatedAt": now(),
                "desiredCount": service.desired_count,
                "runningCount": 0,
                "pendingCount": 0,
                "failedTasks": 0,
            }
            set_state(fresh, "IN_PROGRESS", "in progress.")
            service.deployments.insert(0, fresh)
            service.task_definition = task_definition
            self._begin(service, fresh)
            self._count(service)

    def scaled(self, service: Any) -> None:
        """Take note of another desired count: no new deployment, as in ECS."""
        with self._lock:
            service.deployments[0]["desiredCount"] = service.desired_count
            self._count(service)

    def history(self, service: Any) -> list[ServiceDeployment]:
        """Return a service's deployments, newest first."""
        with self._lock:
            return list(self._of(service).history)

    def run(self, start: Callable[[], list[Any]]) -> list[Any]:
        """Start one-off tasks between two steps; they end when their container does."""
        with self._lock:
            return start()

    def stop_task(self, task: Any, reason: str) -> None:
        """Stop a task because somebody asked for it; a service's one is replaced."""
        with self._lock:
            stop(self.runtime, task, "UserInitiated", reason)

    def steady(self) -> bool:
        """Whether every service's deployment is complete."""
        with self._lock:
            return all(
                len(service.deployments) == 1 and service.deployments[0]["rolloutState"] == "COMPLETED"
                for account in list(ecs_backends.values())
                for backend in list(account.values())
                for service in list(backend.services.values())
                if service.status == "ACTIVE"
            )

    def step(self) -> None:
        """Move everything on by one stage."""
        with self._lock:
            for account in list(ecs_backends.values()):
                for backend in list(account.values()):
                    self._step_backend(backend)

    def _run(self) -> None:
        while not self._stop.wait(self._step_seconds):
            try:
                self.step()
            except Exception:  # noqa: BLE001, RUF100
                # Nobody watches this thread: a failure is logged and the next step tries again.
                _LOG.exception("a step of the ECS agent failed")

    def _step_backend(self, backend: Any) -> None:
        for service in list(backend.services.values()):
            if service.status == "ACTIVE" and service.deployments:
                self._step_service(backend, service)
            elif service.status == "INACTIVE":
                for task in tasks_of(backend, service):
                    stop(self.runtime, task, _SCHEDULER, f"Service {service.name} was deleted")
                    advance(self.runtime, backend, task)
        for cluster in backend.clusters.values():
            tasks = list(backend.tasks.get(cluster.name, {}).values())
            for task in tasks:
                if not task.group.startswith("service:"):
                    advance(self.runtime, backend, task)
            states = [task.last_status for task in tasks]
            cluster.running_tasks_count = states.count("RUNNING")
            cluster.pending_tasks_count = states.count("PROVISIONING") + states.count("PENDING")

    def _step_service(self, backend: Any, service: Any) -> None:
        if getattr(service, "deployment_configuration", None) is None:
            return  # Not made through our front, or not settled by it yet.
        for task in tasks_of(backend, service):
            if advance(self.runtime, backend, task):
                self._failed(service, task)
        primary = service.deployments[0]
        if primary["rolloutState"] != "FAILED":
            self._roll(backend, service, primary)
        self._count(service)
        tasks = tasks_of(backend, service)
        serving = [task for task in tasks if task.started_by == primary["id"] and healthy(task)]
        left = [task for task in tasks if task.started_by != primary["id"] and not stopped(task)]
        if primary["rolloutState"] == "IN_PROGRESS" and len(serving) >= service.desired_count and not left:
            self._complete(service, primary)
        forget_stopped(backend, service)

    def _roll(self, backend: Any, service: Any, primary: dict[str, Any]) -> None:
        """Start the tasks that the primary deployment lacks, and stop those that it has replaced."""
        tasks = [task for task in tasks_of(backend, service) if wanted(task)]
        new = [task for task in tasks if task.started_by == primary["id"]]
        for task in new[service.desired_count :]:
            self._scale_in(service, task)
        old = [task for task in tasks if task.started_by != primary["id"]]
        for task in old:
            if not healthy(task):
                self._scale_in(service, task)
        serving = [task for task in old if healthy(task)]
        allowed = service.deployment_configuration
        bounds = Bounds.of(
            service.desired_count, int(allowed["minimumHealthyPercent"]), int(allowed["maximumPercent"])
        )
        move = next_move(bounds, Tasks(len(new), sum(map(healthy, new))), Tasks(len(serving), len(serving)))
        if time.monotonic() >= self._known(service, primary).retry_at:
            started = [launch(backend, service, primary) for _ in range(move.start)]
            if started:
                named = " ".join(f"(task {task.id})" for task in started)
                event(service, f"has started {len(started)} tasks: {named}.")
        for task in serving[: move.stop]:
            self._scale_in(service, task)

    def _scale_in(self, service: Any, task: Any) -> None:
        event(service, f"has begun draining connections on 1 tasks: (task {task.id}).")
        stop(self.runtime, task, _SCHEDULER, _SCALING.format(service.deployments[0]["id"]))

    def _failed(self, service: Any, task: Any) -> None:
        deployment = next((d for d in service.deployments if d["id"] == task.started_by), None)
        if deployment is None:
            return
        known = self._known(service, deployment)
        known.failed += 1
        known.retry_at = time.monotonic() + min(self._step_seconds * 2**known.failed, _SLOWEST_RETRY)
        deployment["failedTasks"] = known.failed
        event(service, f"(deployment {deployment['id']}) was unable to start tasks: {task.stopped_reason}")
        breaker = (getattr(service, "deployment_configuration", None) or {}).get(
            "deploymentCircuitBreaker"
        ) or {}
        if not breaker.get("enable") or deployment["rolloutState"] != "IN_PROGRESS":
            return
        if known.failed >= breaker_threshold(service.desired_count):
            # One failure more than the budget allows is not counted twice: the breaker acts once.
            known.retry_at = float("inf")
            self._break(service, deployment, roll_back=bool(breaker.get("rollback")))

    def _break(self, service: Any, deployment: dict[str, Any], *, roll_back: bool) -> None:
        """Fail a deployment, and put the last completed one back where the service asks for that."""
        set_state(deployment, "FAILED", "")
        deployment["rolloutStateReason"] = "ECS deployment circuit breaker: tasks failed to start."
        event(service, f"(deployment {deployment['id']}) deployment failed: tasks failed to start.")
        record = self._known(service, deployment).record
        last_good = self._of(service).last_good
        previous = next((d for d in service.deployments if d["id"] == last_good), None)
        if not roll_back or previous is None or previous is deployment:
            record.end("STOPPED", "circuit breaker: tasks failed to start")
            return
        record.status = "ROLLBACK_IN_PROGRESS"
        record.reason = "Service deployment rolled back because the circuit breaker threshold was exceeded."
        deployment["status"], deployment["desiredCount"] = "ACTIVE", 0
        previous["status"] = "PRIMARY"
        set_state(previous, "IN_PROGRESS", "in progress.")
        service.deployments.remove(previous)
        service.deployments.insert(0, previous)
        service.task_definition = previous["taskDefinition"]
        event(service, f"rolling back to deployment {previous['id']}.")

    def _complete(self, service: Any, primary: dict[str, Any]) -> None:
        set_state(primary, "COMPLETED", "completed.")
        known = self._of(service)
        for older in service.deployments[1:]:
            record = self._known(service, older).record
            if record.status == "ROLLBACK_IN_PROGRESS":
                record.end("ROLLBACK_SUCCESSFUL", record.reason)
        service.deployments[1:] = []
        self._known(service, primary).record.end("SUCCESSFUL")
        known.progress = {primary["id"]: known.progress[primary["id"]]}
        known.last_good = primary["id"]
        event(service, f"(deployment {primary['id']}) deployment completed.")
        event(service, "has reached a steady state.")

    def _count(self, service: Any) -> None:
        backend = service._backend
        tasks = tasks_of(backend, service)
        for deployment in service.deployments:
            own = [t.last_status for t in tasks if t.started_by == deployment["id"]]
            deployment["runningCount"] = own.count("RUNNING")
            deployment["pendingCount"] = own.count("PROVISIONING") + own.count("PENDING")
        service.running_count = sum(d["runningCount"] for d in service.deployments)
        service.pending_count = sum(d["pendingCount"] for d in service.deployments)

    def _of(self, service: Any) -> _Service:
        return self._services.setdefault(service.arn, _Service())

    def _known(self, service: Any, deployment: dict[str, Any]) -> _Progress:
        known = self._of(service).progress.get(deployment["id"])
        return known if known is not None else self._begin(service, deployment)

    def _begin(self, service: Any, deployment: dict[str, Any]) -> _Progress:
        known = self._of(service)
        record = ServiceDeployment(service.arn, service.cluster_arn, deployment["taskDefinition"])
        known.history.insert(0, record)
        known.progress[deployment["id"]] = _Progress(record)
        return known.progress[deployment["id"]]
