"""The real program through its whole life in a sandbox of its own, by one engine, and what was left at each step."""

import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine_programs.cli import comparable
from recording_proxy import Effect, RecordingProxy, atlas_effect, aws_effect, secret_name
from world_fixture import UNGATED, copy_program, sandbox as running

from atlas_access.review.deployment import Operation
from sandbox import providers
from sandbox.aws.clients import client_of
from sandbox.deploy import POLICY, Engine, Order, checked, deploy
from sandbox.engine.embedded import Embedded
from sandbox.engine.pulumi_cli import PulumiCli
from sandbox.world import World

STACK = "staging"
REFUSED = Effect("atlas POST", "user app_audit_writer")
NARROWER = (
    "    DROP_INDEX: [agent_waitlist_submissions, agent_survey_responses, hubspot_sync_log]",
    ", hubspot_sync_log",
)
NARROWER_LAW = re.compile(r'("DROP_INDEX": \[[^]]*agent_survey_responses"),\s*"askflorence.hubspot_sync_log"')

STEPS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("provision, refused in the middle", "up provision", {}),
    ("provision", "up provision", {}),
    ("no change", "up provision", {}),
    ("bind", "up bind", {}),
    (
        "an update and a replacement",
        "up bind",
        {"containerImage": "registry.example.com/askflorence/app:next"},
    ),
    ("unprotect", "up provision", {"unprotect": "true"}),
    ("destroy, refused while tasks use ours", "destroy provision", {"unprotect": "true"}),
    ("destroy", "destroy provision", {"unprotect": "true"}),
)


@dataclass(frozen=True)
class Step:
    """How one step ended: the failed resources, what was done how often, the effects in their order, the state."""

    failed: tuple[str, ...]
    changes: Mapping[str, int]
    effects: tuple[Effect, ...]
    resources: tuple[Mapping[str, Any], ...]


@dataclass
class Life:
    """One engine's sandbox and its steps by name."""

    engine: Engine
    world: World
    program: Path
    atlas: RecordingProxy
    effects: list[Effect]
    steps: dict[str, Step] = field(default_factory=dict)

    def live(self) -> None:
        """Go through all steps. What a failure cut short is counted with the step that finished it."""
        for name, what, settings in STEPS:
            self.atlas.refuse = REFUSED if name.endswith("in the middle") else None
            if name == "an update and a replacement":
                self.narrow()
            if name == "destroy":
                self.move_off()
            self.steps[name] = self.step(what, settings)

    def story(self) -> dict[str, Step]:
        """The steps as they can be compared: which others were done when one fails, is an accident of concurrency."""
        refused, *rest = (name for name, _, _ in STEPS)
        first, second = self.steps[refused], self.steps[rest[0]]
        whole = Step(
            failed=first.failed + second.failed,
            changes=dict(Counter(first.changes) + Counter(second.changes)),
            effects=first.effects + second.effects,
            resources=second.resources,
        )
        return {rest[0]: whole, **{name: self.steps[name] for name in rest[1:]}}

    def step(self, what: str, settings: Mapping[str, str]) -> Step:
        operation, phase = what.split()
        del self.effects[:]
        order = Order(
            STACK,
            operation=Operation(operation),
            phase=phase,
            engine=self.engine,
            program_dir=self.program,
            settings={**UNGATED, **settings},
            policy=self.program / "policy",
        )
        run = deploy(self.world, order, lambda _: None)
        done = Counter(step.operation for step in run.steps if not step.failed and step.changing)
        engine = Embedded() if self.engine is Engine.EMBEDDED else PulumiCli.find()
        assert engine is not None
        state = json.dumps(dict(engine.export(self.world, checked(order))))
        return Step(
            failed=tuple(sorted(f"{step.type} {step.name}" for step in run.steps if step.failed)),
            changes=dict(done),
            effects=tuple(self.effects),
            resources=repeatable(state, self.world),
        )

    def narrow(self) -> None:
        """Take a collection out of a role, by manifest and by law: the role and its user's proof are updated."""
        manifest = self.program / "access.yaml"
        line, gone = NARROWER
        assert line in manifest.read_text()
        manifest.write_text(manifest.read_text().replace(line, line.replace(gone, "")))
        law = self.program / "policy" / "policy-config.json"
        narrowed, number = NARROWER_LAW.subn(r"\1", law.read_text())
        assert 1 == number
        law.write_text(narrowed)

    def move_off(self) -> None:
        """Put the service back on what it ran before the first bind: the last rollout went back to one of ours."""
        ecs = client_of(self.world, STACK, "ecs")
        service = {"cluster": f"askflorence-{STACK}", "service": f"askflorence-{STACK}-app"}
        ecs.update_service(**service, taskDefinition=f"askflorence-{STACK}-app:7")
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            observed = ecs.describe_services(cluster=service["cluster"], services=[service["service"]])[
                "services"
            ][0]
            if ["COMPLETED"] == [each["rolloutState"] for each in observed["deployments"]]:
                return
            time.sleep(0.1)
        raise AssertionError("the service did not move off in time")


@contextmanager
def sandbox(engine: Engine, directory: Path) -> Iterator[Life]:
    """A sandbox whose provider servers, program and probes reach Atlas and AWS through recording proxies."""
    with ExitStack() as stack:
        real = stack.enter_context(running(directory / "world", propagation_seconds=0.0, easy=True))
        effects: list[Effect] = []
        atlas = stack.enter_context(RecordingProxy(real.atlas_url, atlas_effect, effects))
        aws = stack.enter_context(RecordingProxy(real.aws_url, aws_effect, effects))
        world = replace(real, atlas_url=atlas.url, aws_url=aws.url)
        served = providers.serve(world.environment(STACK))
        stack.callback(served.stop)
        here = replace(world.of(STACK), provider_ports=dict(served.ports))
        world = replace(world, environments={**world.environments, STACK: here})
        program = copy_program(directory / "program")
        for folder in (POLICY, POLICY.with_name("docs")):  # the law names decisions among the documents
            shutil.copytree(folder, program / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
        yield Life(engine, world, program, atlas, effects)


_SECRET_SUFFIX = re.compile(r"(:secret:[A-Za-z0-9/_.-]+)-[A-Za-z0-9]{6}(?![A-Za-z0-9-])")
_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_RANDOM = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_ADDRESS = re.compile(r"127\.0\.0\.\d:\d+")


def repeatable(state: str, world: World) -> tuple[Mapping[str, Any], ...]:
    """The state's resources without what differs from one sandbox to the next: passwords, ids, ports and times.

    What is replaced keeps its identity: the same id gets the same number wherever it stands.
    """
    resources = comparable(state, world.passphrase)
    passwords = {
        each["outputs"]["result"].element: f"<password of {each['urn'].rpartition('::')[2]}>"
        for each in resources
        if each["type"].endswith(":RandomPassword")
    }
    ports = {world.of(name).mongod.address: f"<{name}>" for name in world.environments}
    ports[world.private_address] = "<private>"
    numbers: dict[str, str] = {}

    def text(value: str) -> str:
        for password, name in passwords.items():
            value = value.replace(password, name)
        value = _SECRET_SUFFIX.sub(r"\1-<random>", value)
        value = _MOMENT.sub("<moment>", _BCRYPT.sub("<bcrypt>", value))
        value = _ADDRESS.sub(lambda found: ports.get(found[0], "<address>"), value)
        return _RANDOM.sub(lambda found: numbers.setdefault(found[0], f"<id {len(numbers)}>"), value)

    def plain(value: Any, key: str = "") -> Any:
        if key == "wanted":
            return "<digest of what holds random ids>"
        if isinstance(value, str):
            return _evidence(text(value)) if key == "evidence" else text(value)
        if isinstance(value, dict):
            return {name: plain(value[name], name) for name in sorted(value)}
        if isinstance(value, (list, tuple)):
            return [plain(each) for each in value]
        if hasattr(value, "element"):
            return {"secret": plain(value.element)}
        return value

    return tuple(plain(each) for each in resources)


def _evidence(text: str) -> Any:
    """A proof's evidence without how long it and each attempt took."""
    proof = json.loads(text)
    attempts = [[*words, tried] for *words, _ms, tried in proof["attempts"]]
    return {**proof, "ms": 0, "attempts": attempts}


def subjects(resources: tuple[Mapping[str, Any], ...]) -> dict[str, str]:
    """The subject of a resource's effects, by URN; resources without effects of their own are left out."""
    found = {}
    for each in resources:
        given = each["inputs"]
        match each["type"].rpartition(":")[2]:
            case "CustomDbRole":
                found[each["urn"]] = f"role {given['roleName']}"
            case "DatabaseUser":
                found[each["urn"]] = f"user {given['username']}"
            case "Secret":
                found[each["urn"]] = f"secret {given['name']}"
            case "SecretVersion":
                found[each["urn"]] = f"version {secret_name(given['secretId'].replace('<random>', 'random'))}"
            case "RolePolicy":
                found[each["urn"]] = f"policy {given['role']}/{given['name']}"
            case "TaskDefinition":
                found[each["urn"]] = f"family {given['family']}"
            case "Rollout" | "PriorRevision":
                found[each["urn"]] = f"service {given['service']}"
    return found


def related(resources: tuple[Mapping[str, Any], ...]) -> set[frozenset[str]]:
    """The pairs of subjects of which one needs the other, directly or through others; each one with itself."""
    needs = {each["urn"]: set(each["dependencies"]) for each in resources}
    names = subjects(resources)
    pairs = {frozenset({name}) for name in names.values()}
    for urn, name in names.items():
        waiting, observed = list(needs[urn]), set()
        while waiting:
            one = waiting.pop()
            if one not in observed:
                observed.add(one)
                waiting += needs.get(one, ())
        pairs |= {frozenset({name, names[one]}) for one in observed if one in names}
    return pairs


def order(effects: tuple[Effect, ...], pairs: set[frozenset[str]]) -> set[tuple[str, str]]:
    """Which effect came before which, among those whose subjects are related; accidental concurrency is left out."""
    counted: Counter[Effect] = Counter()
    named = []
    for effect in effects:
        counted[effect] += 1
        named.append((effect.subject, f"{effect} #{counted[effect]}"))
    return {
        (first, second)
        for index, (one, first) in enumerate(named)
        for other, second in named[index + 1 :]
        if frozenset({one, other}) in pairs
    }
