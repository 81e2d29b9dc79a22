"""A sandbox whose service runs, and what the tests of it need: clients, deployments, constant requests."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
import requests
from world_fixture import sandbox

from sandbox.aws.clients import client_of
from sandbox.world import World

COUPLE = {"zip": "84094", "household": [{"age": 35}, {"age": 30}], "income": 65000, "year": 2026}
SINGLE_CHECK = {"rxcuis": ["1364441"], "plan_id": "42261UT0060023", "year": 2026}
DEADLINE = 60.0
KEPT = {"family", "containerDefinitions", "volumes", "networkMode", "requiresCompatibilities", "cpu"}
KEPT |= {"memory", "taskRoleArn", "executionRoleArn", "runtimePlatform"}


@dataclass
class Running:
    """One environment of a running sandbox."""

    world: World
    name: str = "staging"
    observed: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.world.of(self.name).service_url

    @cached_property
    def names(self) -> dict[str, str]:
        return {"cluster": f"askflorence-{self.name}", "service": f"askflorence-{self.name}-app"}

    def client(self, service: str) -> Any:
        return client_of(self.world, self.name, service)

    @cached_property
    def ecs(self) -> Any:
        return self.client("ecs")

    def ask(self, path: str, body: dict[str, Any], *, status: int = 200) -> dict[str, Any]:
        answer = requests.post(self.url + path, json=body, timeout=30)
        assert status == answer.status_code, answer.text
        return answer.json()

    def plan_ids(self) -> list[str]:
        return [plan["plan_id"] for plan in self.ask("/api/plans", COUPLE)["plans"]]

    def service(self) -> dict[str, Any]:
        where = {"cluster": self.names["cluster"], "services": [self.names["service"]]}
        return self.ecs.describe_services(**where)["services"][0]

    def register(self, change: Callable[[dict[str, Any]], None]) -> str:
        """Register the running revision again, its container changed, and return the ARN."""
        running = self.service()["taskDefinition"]
        latest = self.ecs.describe_task_definition(taskDefinition=running)["taskDefinition"]
        asked = {key: latest[key] for key in KEPT}
        change(asked["containerDefinitions"][0])
        return self.ecs.register_task_definition(**asked)["taskDefinition"]["taskDefinitionArn"]

    def deploy(self, revision: str, **changes: Any) -> None:
        self.ecs.update_service(**self.names, taskDefinition=revision, **changes)

    def settled(self) -> dict[str, Any]:
        """Wait until the service's deployment is complete, and return the service."""

        def complete() -> dict[str, Any] | None:
            service = self.service()
            states = [deployment["rolloutState"] for deployment in service["deployments"]]
            return service if states == ["COMPLETED"] else None

        return until(complete)

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        asked = {"cluster": self.names["cluster"], "desiredStatus": status}
        arns = self.ecs.list_tasks(**asked, serviceName=self.names["service"])["taskArns"]
        if not arns:
            return []
        return self.ecs.describe_tasks(cluster=self.names["cluster"], tasks=arns)["tasks"]

    def log_lines(self, prefix: str = "service/") -> list[str]:
        """Every line of the tasks' streams of that prefix."""
        logs, group = self.client("logs"), f"/ecs/askflorence-{self.name}-app"
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
        found = []
        for stream in streams:
            asked = {"logGroupName": group, "logStreamName": stream["logStreamName"], "startFromHead": True}
            found += [event["message"] for event in logs.get_log_events(**asked)["events"]]
        return found


def until(look: Callable[[], Any]) -> Any:
    """Look until there is something to see."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("not observed in time")


def image(tag: str) -> Callable[[dict[str, Any]], None]:
    def change(container: dict[str, Any]) -> None:
        container["image"] = f"{container['image'].rpartition(':')[0]}:{tag}"

    return change


class Load:
    """Constant requests in the background: what failed, and which revisions answered."""

    def __init__(self, url: str, pause: float = 0.02) -> None:
        self._url, self._pause = url, pause
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(kind,)) for kind in range(3)]
        self.failures: list[str] = []
        self.revisions: set[str] = set()
        self.count = 0

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, kind: int) -> None:
        asked: list[tuple[str, dict[str, Any] | None]] = [
            ("/api/plans", COUPLE),
            ("/api/drugs/covered", SINGLE_CHECK),
            ("/calculator", None),
        ]
        path, body = asked[kind]
        # The third opens a connection for each request, the others keep theirs.
        session = requests.Session()
        while not self._stop.wait(self._pause):
            try:
                caller = requests if body is None else session
                answer = caller.request("POST" if body else "GET", self._url + path, json=body, timeout=30)
            except requests.RequestException as error:
                self.failures.append(f"{path}: {type(error).__name__}")
                continue
            self.count += 1
            self.revisions.add(answer.headers.get("X-Task-Revision", ""))
            if answer.status_code != 200:
                self.failures.append(f"{path}: {answer.status_code}")
        session.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with sandbox(tmp_path_factory.mktemp("service"), service=True, ecs_step_seconds=0.05) as world:
        yield Running(world)
