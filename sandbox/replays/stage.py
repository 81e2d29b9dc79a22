"""One environment of a sandbox, as its users and an operator without gates use it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from atlas_access.base import registrable
from atlas_access.rollout import PREFIX, short
from sandbox.aws_clients import client_of
from sandbox.world import SandboxError, World

Container = dict[str, Any]
Change = Callable[[Container], None]
COUPLE = {"zip": "84094", "household": [{"age": 35}, {"age": 30}], "income": 65000, "year": 2026}
PROVIDER = "Tyler Wood"
_DEADLINE = 90.0
_PAUSE = 0.05
_ASK_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """An answer of the service: status and body."""

    status: int
    body: Mapping[str, Any]

    def __str__(self) -> str:
        text = f" {json.dumps(self.body, ensure_ascii=False)}" if self.status >= 400 else ""
        return f"HTTP {self.status}{text}"


@dataclass
class Stage:
    """Staging of one sandbox. `program_dir` is the project's folder."""

    world: World
    program_dir: Path
    stack: str = "staging"
    _marked: float = field(default_factory=time.time)

    @property
    def names(self) -> dict[str, str]:
        """The service in ECS."""
        return {"cluster": f"askflorence-{self.stack}", "service": f"askflorence-{self.stack}-app"}

    @property
    def family(self) -> str:
        """The family that the service runs."""
        return self.names["service"]

    @cached_property
    def home(self) -> str:
        """The revision that ran before anybody touched anything, as an ARN: what replays come back to."""
        return str(self.service()["taskDefinition"])

    @cached_property
    def ecs(self) -> Any:
        """A client of ECS in the stack's account."""
        return self.aws("ecs")

    def aws(self, service: str) -> Any:
        """A client of the stack's account."""
        return client_of(self.world, self.stack, service)

    def service(self) -> dict[str, Any]:
        """The service as ECS describes it."""
        found: dict[str, Any] = self.ecs.describe_services(
            cluster=self.names["cluster"], services=[self.names["service"]]
        )["services"][0]
        return found

    def runs(self) -> str:
        """What the service runs: `askflorence-staging-app:7 2/2`."""
        now = self.service()
        return f"{short(now['taskDefinition'])} {now['runningCount']}/{now['desiredCount']}"

    def ask(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Ask as a user does, at the balanced address."""
        reply = requests.post(
            self.world.of(self.stack).service_url + path, json=dict(body), timeout=_ASK_SECONDS
        )
        try:
            answer = reply.json()
        except ValueError:
            answer = {}
        return Answer(reply.status_code, answer if isinstance(answer, dict) else {})

    def plan_ids(self) -> list[str]:
        """The plans that the household is offered."""
        return [plan["plan_id"] for plan in self.ask("/api/plans", COUPLE).body.get("plans", ())]

    def providers(self, plan_ids: list[str]) -> Answer:
        """The question of gate 3."""
        return self.ask(
            "/api/providers/covered", {"query": PROVIDER, "plan_ids": plan_ids, "year": COUPLE["year"]}
        )

    def sign_up(self, address: str) -> Answer:
        """The question of gate 8; the row stays, and goes with the sandbox."""
        return self.ask("/api/agent-waitlist", {"email": address, "state": "UT"})

    def log_line(self, words: str, seconds: float = 3.0) -> str:
        """The first line of the tasks' logs since the replay began with these words; "" when none comes in time."""
        logs = self.aws("logs")

        def first() -> str:
            found = logs.filter_log_events(
                logGroupName=f"/ecs/{self.family}", startTime=int(self._marked * 1000)
            )["events"]
            return next((str(each["message"]) for each in found if words in str(each["message"])), "")

        return str(until(first, seconds))

    def begin(self) -> None:
        """A new replay begins: older log lines no longer count."""
        self._marked = time.time()

    def register(self, *changes: Change) -> str:
        """Register the first revision again, its container changed; return the new one's ARN."""
        asked = self.ecs.describe_task_definition(taskDefinition=self.home)["taskDefinition"]
        asked = registrable(asked)
        for change in changes:
            change(asked["containerDefinitions"][0])
        return str(self.ecs.register_task_definition(**asked)["taskDefinition"]["taskDefinitionArn"])

    def deploy(self, *changes: Change) -> str:
        """Register a revision, update the service and wait for ECS without gates; return `family:number`."""
        revision = self.register(*changes)
        self.swap(revision)
        self.settled()
        return short(revision)

    def swap(self, revision: str) -> None:
        """Set the service's revision without waiting."""
        self.ecs.update_service(**self.names, taskDefinition=revision)

    def settled(self) -> None:
        """Wait until ECS calls the service's deployment complete. Raises `SandboxError` when it does not."""

        def complete() -> bool:
            states = [each["rolloutState"] for each in self.service()["deployments"]]
            return states == ["COMPLETED"]

        if not until(complete, _DEADLINE):
            raise SandboxError(
                f"{self.family} did not become steady within {_DEADLINE:.0f} s: see its events"
            )

    def put_back(self) -> None:
        """Restore the first revision and remove our service tags, without waiting."""
        now = self.service()
        found = self.ecs.list_tags_for_resource(resourceArn=now["serviceArn"])["tags"]
        tags = [each["key"] for each in found if each["key"].startswith(PREFIX)]
        if tags:
            self.ecs.untag_resource(resourceArn=now["serviceArn"], tagKeys=tags)
        if now["taskDefinition"] != self.home:
            self.swap(self.home)

    def secret_value(self, name: str, environment: str = "") -> str:
        """A connection string, for a place that must not be shown."""
        store = client_of(self.world, environment or self.stack, "secretsmanager")
        return str(store.get_secret_value(SecretId=name)["SecretString"])

    def secret_arn(self, name: str) -> str:
        """The full ARN of a secret."""
        return str(self.aws("secretsmanager").describe_secret(SecretId=name)["ARN"])


def until(ask: Callable[[], Any], seconds: float) -> Any:
    """Call `ask` until its result is true or time is up, and return the last result."""
    deadline = time.monotonic() + seconds
    found = ask()
    while not found and time.monotonic() < deadline:
        time.sleep(_PAUSE)
        found = ask()
    return found


def image(tag: str) -> Change:
    """Another build of the application."""

    def change(container: Container) -> None:
        container["image"] = f"{container['image'].rpartition(':')[0]}:{tag}"

    return change


def bound(variable: str, value_from: str) -> Change:
    """A variable bound to a secret, in the place of what it was bound to."""

    def change(container: Container) -> None:
        unbound(variable)(container)
        container["secrets"].append({"name": variable, "valueFrom": value_from})

    return change


def unbound(variable: str) -> Change:
    """A variable that is bound to nothing."""

    def change(container: Container) -> None:
        container["secrets"] = [each for each in container["secrets"] if each["name"] != variable]

    return change
