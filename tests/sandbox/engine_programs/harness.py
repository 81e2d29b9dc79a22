"""A stack to try the engine on: its program is a text, its providers run in this process, its files in a folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine_programs.toy_provider import ToyProvider
from sandbox.engine.events import Event
from sandbox.engine.request import EngineRequest, EngineResult
from sandbox.engine.runner import run

PRELUDE = "import pulumi, toy\nfrom pulumi import Output, ResourceOptions as Options\n"
FOLDER = Path(__file__).parent


@dataclass
class Stack:
    """`stack.up(program)` runs it; `stack.events` holds the last run's events."""

    folder: Path
    toy: ToyProvider
    name: str = "staging"
    config: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    @property
    def program_dir(self) -> Path:
        return self.folder / "program"

    @property
    def state_file(self) -> Path:
        return self.folder / "stacks" / f"{self.name}.json"

    def write(self, program: str) -> None:
        self.program_dir.mkdir(exist_ok=True)
        (self.program_dir / "__main__.py").write_text(PRELUDE + program)

    def request(self, operation: str) -> EngineRequest:
        self.events = []
        settings: dict[str, Any] = {"environment": {"PYTHONPATH": str(FOLDER)}, "passphrase": "open sesame"}
        settings["provider_ports"] = {"toy": self.toy.port}
        return EngineRequest(
            operation=operation,
            program_dir=self.program_dir,
            project="demo",
            stack=self.name,
            config=self.config,
            state_file=self.state_file,
            **{**settings, **self.options},
        )

    def run(self, operation: str, program: str | None = None) -> EngineResult:
        if program is not None:
            self.write(program)
        self.toy.calls.clear()
        request = self.request(operation)
        return run(request, self.events.append)

    def up(self, program: str | None = None) -> EngineResult:
        return self.run("up", program)

    def preview(self, program: str | None = None) -> EngineResult:
        return self.run("preview", program)

    def state(self) -> dict[str, Any]:
        return json.loads(self.state_file.read_text())["deployment"]

    def resources(self) -> dict[str, dict[str, Any]]:
        """The state's resources by name; providers and the stack itself left out."""
        resources = self.state().get("resources", [])
        own = [item for item in resources if not item["type"].startswith("pulumi:")]
        return {item["urn"].split("::")[-1]: item for item in own}

    def pending(self) -> list[tuple[str, str]]:
        """What was begun and not observed to end: its type and the resource's name."""
        begun = self.state().get("pending_operations") or []
        return [(item["type"], item["resource"]["urn"].split("::")[-1]) for item in begun]

    def ops(self) -> dict[str, str]:
        """What the last run planned, by resource name; default providers and the stack left out."""
        return {
            step["urn"].split("::")[-1]: step["op"]
            for step in self.planned()
            if not step["type"].startswith("pulumi:p")
        }

    def planned(self) -> list[dict[str, Any]]:
        return [event["resourcePreEvent"]["metadata"] for event in self.events if "resourcePreEvent" in event]

    def messages(self, severity: str) -> list[str]:
        spoken = [event["diagnosticEvent"] for event in self.events if "diagnosticEvent" in event]
        return [each["message"] for each in spoken if each["severity"] == severity]


@pytest.fixture
def toy() -> Iterator[ToyProvider]:
    with ToyProvider() as provider:
        yield provider


@pytest.fixture
def stack(tmp_path: Path, toy: ToyProvider) -> Stack:
    return Stack(tmp_path, toy)
