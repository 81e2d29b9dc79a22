"""The pack on real deployments: it runs unasked, blocks what breaks a rule before it is made, and fails closed."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from world_fixture import ROOT, UNGATED, sandbox

from atlas_access.base import Status
from atlas_access.review import deployment_json
from atlas_access.review.deployment import Deployment, Operation, Progress
from atlas_access.review.deployment_text import failure_lines, progress_line
from atlas_access.review.policy import KNOWN_AFTERWARDS, advice_lines
from sandbox.deploy import Engine, Order, deploy, exported
from sandbox.engine.pulumi_cli import PulumiCli
from sandbox.world import World

OFFENDERS = ROOT / "tests" / "policy" / "offenders"
FILES = ("access.yaml", "Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml")
CANARIES = ("Kq7Kq7", "canary")
STOPPED = [
    ("user_db_owner", "users-by-law"),
    ("role_wildcard", "roles-by-law"),
    ("secret_default_key", "secret-settings"),
    ("short_password", "password-strength"),
]
"""Offenders of types that the sandbox's providers serve, and the rule that stops each."""

PASSWORD = "random:index/randomPassword:RandomPassword"

THROWS = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy


def throws(args, report):
    raise ValueError("canary")


PolicyPack(
    name="throws",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[ResourceValidationPolicy("throws", "always throws", throws)],
)
"""


@dataclass
class Site:
    """A sandbox and an engine, with the folder of small programs to deploy there."""

    world: World
    engine: Engine
    folder: Path

    def run(
        self, program: str, operation: Operation = Operation.UP, packs: tuple[Path, ...] = ()
    ) -> tuple[Deployment, str]:
        """Deploy a program; the deployment, and everything that a person and a log were shown."""
        place = self.folder / "program"
        place.mkdir(exist_ok=True)
        for name in FILES:
            shutil.copy(ROOT / name, place / name)
        (place / "__main__.py").write_text(program)
        events = self.folder / "events.jsonl"
        order = Order("staging", operation, "bind", self.engine, place, events=events, policy_packs=packs)
        progress: list[Progress] = []
        done = deploy(self.world, order, progress.append)
        lines = [*map(progress_line, progress), *failure_lines(done), *advice_lines(done.policies)]
        return done, "\n".join([*lines, deployment_json.render(done), events.read_text()])

    def offender(self, name: str, operation: Operation = Operation.UP) -> tuple[Deployment, str]:
        """Deploy one of the offending programs of the policy tests."""
        paths = f"sys.path[:0] = {[str(OFFENDERS.parent), str(ROOT)]!r}"
        return self.run(
            f"import runpy\nimport sys\n\n{paths}\nrunpy.run_path({str(OFFENDERS / name)!r} + '.py')\n",
            operation,
        )

    @property
    def made(self) -> set[str]:
        """The types of what the stack holds, the stack itself and its providers left out."""
        state = exported(self.world, "staging")
        listed = (state.get("deployment") or {}).get("resources") or []
        return {each["type"] for each in listed if not each["type"].startswith("pulumi:")}


@pytest.fixture(scope="module", params=[Engine.EMBEDDED, Engine.PULUMI])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site | None]:
    """A sandbox for each engine; none for the CLI where it is not on PATH."""
    if request.param is Engine.PULUMI and PulumiCli.find() is None:
        yield None
        return
    with sandbox(tmp_path_factory.mktemp("world"), propagation_seconds=0.1) as world:
        yield Site(world, request.param, tmp_path_factory.mktemp("programs"))


def on_each_engine(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test where the engine is there; where it is not, the output says so."""

    @wraps(test)
    def run(site: Site | None, **given: Any) -> None:
        if site is None:
            sys.stderr.write("not run: no pulumi CLI on PATH\n")
        else:
            test(site, **given)

    return run


@pytest.mark.parametrize(("name", "rule"), STOPPED)
@on_each_engine
def test_an_offender_is_stopped_by_its_rule_before_anything_is_made(site: Site, name: str, rule: str) -> None:
    done, printed = site.offender(name)

    broken = {each.code for each in done.policies if each.status is Status.BAD}
    refused = printed.lstrip().startswith("REFUSED  staging bind: ")
    assert ({rule}, 1, True) == (broken, done.exit_code, refused)
    assert f"(atlas-access explain {rule})" in printed
    assert "Remedy: " in printed
    assert not any(canary in printed for canary in CANARIES)


@on_each_engine
def test_nothing_that_was_refused_is_in_the_stack(site: Site) -> None:
    site.offender("user_db_owner")
    site.offender("secret_default_key")

    made = {"mongodbatlas:index/databaseUser:DatabaseUser", "aws:secretsmanager/secret:Secret"}
    assert set() == site.made & made


@on_each_engine
def test_a_preview_of_an_offender_is_refused_too(site: Site) -> None:
    done, _ = site.offender("six_users", Operation.PREVIEW)

    broken = {each.code for each in done.policies if each.status is Status.BAD}
    assert ({"user-cap", "users-by-law"}, 1) == (broken, done.exit_code)


@on_each_engine
def test_our_own_plan_has_only_the_known_advice_and_what_is_judged_when_made(site: Site) -> None:
    order = Order("staging", Operation.PREVIEW, "provision", site.engine, ROOT, settings=UNGATED)
    done = deploy(site.world, order, lambda _: None)

    assert ("", ["audit-log-append-only"], True) == (
        done.failure,
        [each.code for each in done.policies if each.status is Status.GOOD],
        all(each.code == KNOWN_AFTERWARDS for each in done.policies if each.status is Status.UNKNOWN),
    )


@pytest.mark.parametrize("main", [THROWS, "raise SystemExit('does not start')\n"], ids=["throws", "ends"])
@on_each_engine
def test_a_pack_that_throws_or_does_not_start_fails_the_update(site: Site, tmp_path: Path, main: str) -> None:
    pack = tmp_path / "broken"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("name: broken\nversion: 1.0.0\nruntime: python\nmain: .\n")
    (pack / "__main__.py").write_text(main)
    program = 'import pulumi_random as random\n\nrandom.RandomPassword("p", length=32, special=False)\n'

    done, _ = site.run(program, packs=(pack,))

    assert (1, True, set()) == (done.exit_code, bool(done.failure), site.made & {PASSWORD})


@on_each_engine
def test_the_events_of_a_refusal_are_json_lines(site: Site) -> None:
    site.offender("short_password")

    lines = (site.folder / "events.jsonl").read_text().splitlines()

    assert lines
    assert all(isinstance(json.loads(line), dict) for line in lines)
