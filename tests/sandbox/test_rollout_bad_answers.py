"""A new revision whose answers are bad in any way fails that gate within its deadline, and the rollout is undone.

What is wrong with the gates themselves, a malformed smoke.yaml or another's baseline, is reported before the start.
"""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aws_fixture import Aws
from mongod_fixture import LOOPBACK
from smoke_fixture import ROOT, FakeApp, order, scenarios, stream, usual
from test_rollout_ecs import CLUSTER, NAME, Time, alone, goal, tags

from atlas_access.base.settings import check_settings
from atlas_access.rollout.gates import Gates, Round
from atlas_access.rollout.preflight import Gated
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.run import Parts, carry_out
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_tags import HELD, ServiceTags
from atlas_access.rollout.smoke_gates import SmokeGates, smoke_gates
from atlas_access.rollout.steps import Observed
from atlas_access.smoke.run import SmokeOrder, capture
from components.settings import read_files

STRICT = {"request_seconds": 3.0, "gate_seconds": 6.0, "retry_seconds": 0.1}
UNHURRIED = {"request_seconds": 30.0, "gate_seconds": 90.0}
"""A busy machine answers late; only the bad round must end soon."""
PLANS = "/api/plans"


pytestmark = pytest.mark.usefixtures("side_gates")


@dataclass
class BadOnTheNew:
    """The real gates, against an application that one revision breaks."""

    order: SmokeOrder
    app: FakeApp
    bad: str
    breaks: Callable[[FakeApp], object]
    seconds: float = 0.0

    def refusals(self) -> tuple[str, ...]:
        return ()

    def round(self, revision: str, stopped: Callable[[], bool]) -> Round:
        self.app.handlers = usual().handlers
        asked = self.order
        if revision == self.bad:
            url = self.breaks(self.app)
            asked = replace(asked, smoke=scenarios(**STRICT), url=url if isinstance(url, str) else asked.url)
        began = time.monotonic()
        found = SmokeGates(asked).round("", stopped)
        self.seconds = max(self.seconds, time.monotonic() - began)
        return found


def at_once(work: Callable[[], Any]) -> Future[Any]:
    job: Future[Any] = Future()
    job.set_result(work())
    return job


def undone(aws: Aws, app: FakeApp, breaks: Callable[[FakeApp], object]) -> tuple[str, float]:
    """Roll a revision out that breaks; what was said, and how long the longest round took."""
    prior, wanted = aws.service()["taskDefinition"], aws.register(lambda _: None)
    made = order(app, smoke=scenarios(**UNHURRIED))
    gates = BadOnTheNew(replace(made, baseline=capture(made)), app, wanted, breaks)
    service = Service(aws.client("ecs"), CLUSTER, NAME)
    parts = Parts(
        "staging", service, Time(aws), lambda _: None, lambda _: (), gates, poll_seconds=1.0, aside=at_once
    )
    with pytest.raises(RolloutFailed) as caught:
        carry_out(goal(wanted, prior), parts)
    assert (prior, {HELD: "0"}) == (alone(aws), tags(aws))
    return str(caught.value).splitlines()[0], gates.seconds


@pytest.mark.parametrize(
    ("breaks", "expected"),
    [
        (lambda app: app.answers_raw(PLANS, b"", 302, Location="https://example.com/"), "redirects"),
        (lambda app: app.answers_raw(PLANS, b"<html>", Content_Type="text/html"), "the answer is not JSON: HTML"),
        (lambda app: app.answers_raw(PLANS, b" " * 10_000_000), "the answer is too large"),
        (lambda app: app.handlers.update({PLANS: stream(b" ", pause=0.05)}), "no whole answer in time"),
        (lambda _: "http://127.0.0.1:9", "unreachable: the connection is refused"),
    ],
    ids=["a redirect", "HTML", "ten megabytes", "an endless answer", "an address where nothing listens"],
)  # fmt: skip
def test_a_bad_answer_of_the_new_revision_undoes_the_rollout_within_its_deadline(
    aws: Aws, app: FakeApp, breaks: Callable[[FakeApp], object], expected: str
) -> None:
    printed, seconds = undone(aws, app, breaks)
    assert printed.startswith("ROLLED BACK  staging: gate ")
    assert expected in printed
    assert seconds < 60.0


def test_a_bad_certificate_undoes_the_rollout(aws: Aws, app: FakeApp, expired: tuple[FakeApp, Path]) -> None:
    printed, _ = undone(aws, app, lambda _: expired[0].url)
    assert "gate 1 eligibility: its certificate is refused" in printed


@pytest.fixture
def folder(tmp_path: Path, app: FakeApp) -> Path:
    """A program's folder with a green baseline of staging."""
    for name in ("smoke.yaml", "access.yaml", "Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / "staging.json").write_text(
        capture(order(app, smoke=scenarios(**UNHURRIED))).to_json(), encoding="utf-8"
    )
    return tmp_path


def gates_of(folder: Path, stack: str = "staging") -> Gates | None:
    named = {"smokeBaseline": "baselines/staging.json"}
    settings = check_settings(stack, read_files(folder), sandbox=True, overrides=named)
    return smoke_gates(stack, settings, LOOPBACK, folder)


def test_a_baseline_of_this_stack_and_these_scenarios_is_taken(folder: Path) -> None:
    assert isinstance(gates_of(folder), SmokeGates)


def _malformed(folder: Path) -> None:
    (folder / "smoke.yaml").write_text("version: [1\n")


def _other_scenarios(folder: Path) -> None:
    path = folder / "smoke.yaml"
    path.write_text(path.read_text().replace('"84094"', '"84095"').replace(" 84094", " 84095"))


def _damaged(folder: Path) -> None:
    path = folder / "baselines" / "staging.json"
    path.write_text(path.read_text().replace("42261UT0060020", "42261UT0060021", 1))


@pytest.mark.parametrize(
    ("spoils", "stack", "expected"),
    [
        (_malformed, "staging", "smoke.yaml"),
        (_other_scenarios, "staging", "other scenarios"),
        (_damaged, "staging", "staging.json"),
        (lambda _: None, "prod", "staging"),
    ],
    ids=["a malformed smoke.yaml", "other scenarios", "a damaged baseline", "another stack's baseline"],
)
def test_gates_that_cannot_be_trusted_are_a_reason_not_to_begin(
    folder: Path, aws: Aws, spoils: Callable[[Path], None], stack: str, expected: str
) -> None:
    spoils(folder)
    state = Service(aws.client("ecs"), CLUSTER, NAME).observe()
    (printed,) = Gated(gates_of(folder, stack), allow_ungated=False)(Observed(state, ServiceTags(), 0.0, 0.0))
    assert printed.startswith(f"{stack}: the smoke gates cannot be run: ")
    assert expected in printed
