"""One environment of a sandbox, as its users and an operator without gates use it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from atlas_access.rollout import short
from sandbox.aws.clients import client_of
from sandbox.ecs.releases import Pipeline
from sandbox.world import World

Container = dict[str, Any]
Change = Callable[[Container], None]
COUPLE = {"zip": "84094", "household": [{"age": 35}, {"age": 30}], "income": 65000, "year": 2026}
PROVIDER = "Tyler Wood"
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

    @cached_property
    def pipeline(self) -> Pipeline:
        """What deploys to the service, without gates."""
        return Pipeline(self.world, self.stack)

    @cached_property
    def home(self) -> str:
        """The revision that ran before anybody touched anything, as an ARN: what replays come back to."""
        return self.pipeline.observe().revision

    def runs(self) -> str:
        """What the service runs: `askflorence-staging-app:7 2/2`."""
        now = self.pipeline.observe()
        running = sum(each.running for each in now.deployments if each.revision == now.revision)
        return f"{short(now.revision)} {running}/{now.desired}"

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
        logs, group = self._aws("logs"), f"/ecs/{self.pipeline.service.name}"

        def first() -> str:
            found = logs.filter_log_events(logGroupName=group, startTime=int(self._marked * 1000))["events"]
            return next((str(each["message"]) for each in found if words in str(each["message"])), "")

        return str(until(first, seconds))

    def begin(self) -> None:
        """A new replay begins: older log lines no longer count."""
        self._marked = time.time()

    def deploy(self, *changes: Change) -> str:
        """Deploy the running revision with its container changed, and wait; return `family:number`."""

        def changed(definition: dict[str, Any]) -> None:
            for change in changes:
                change(definition["containerDefinitions"][0])

        return self.pipeline.changed(changed).after

    def put_back(self) -> None:
        """Let the first revision run again."""
        if self.pipeline.observe().revision != self.home:
            self.pipeline.revision(self.home)

    def secret_value(self, name: str) -> str:
        """A connection string, for a place that must not be shown."""
        return str(self._aws("secretsmanager").get_secret_value(SecretId=name)["SecretString"])

    def secret_arn(self, name: str) -> str:
        """The full ARN of a secret."""
        return str(self._aws("secretsmanager").describe_secret(SecretId=name)["ARN"])

    def _aws(self, service: str) -> Any:
        return client_of(self.world, self.stack, service)


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
