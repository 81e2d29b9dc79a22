"""The pre-flight's own decisions, the soak's, and the clock that only a sandbox can advance."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atlas_access.base import Status
from atlas_access.base.clock import ClockRefused, advance, clock_for, seconds_of
from atlas_access.base.endpoints import Endpoints
from atlas_access.base.settings import SettingsInvalid, check_settings
from atlas_access.clients import Alarm
from atlas_access.clients.errors import AwsUnavailable
from atlas_access.rollout.gates import Gates
from atlas_access.rollout.preflight import Checks, Gated, owned, soaked
from atlas_access.rollout.readable import references
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_tags import Bound, Lease, ServiceTags
from atlas_access.rollout.smoke_gates import SmokeGates
from atlas_access.rollout.soak import Errors, ObservedSoak, line, refusals, released, spike, unknown
from atlas_access.rollout.steps import Observed
from atlas_access.smoke.file import load_smoke
from atlas_access.smoke.gates import Gate, GateResult, Round as GateRound, Standing
from atlas_access.smoke.run import SmokeOrder
from atlas_access.smoke.task_secrets import Place
from components.settings import read_files
from tests.unit.rollout_world import NEW, OLD, FakeEcs, FakeGates

ROOT = Path(__file__).parents[2]
LOOPBACK = "http://127.0.0.1:1"
LOOPBACK_ONLY = Endpoints(True, LOOPBACK, f"{LOOPBACK}/", LOOPBACK, LOOPBACK, LOOPBACK)


def observed(service_tags: ServiceTags | None = None, revision: str = NEW) -> Observed:
    state = Service(FakeEcs.running(revision), "c", "app").observe()
    return Observed(state, service_tags or ServiceTags(), 0.0, 0.0)


def smoke_order() -> SmokeOrder:
    smoke = load_smoke((ROOT / "smoke.yaml").read_bytes(), "smoke.yaml")
    place = Place("staging", "c", "app", "app", "us-east-1")
    return SmokeOrder("staging", LOOPBACK, smoke, place, Endpoints(), "askflorence")


def soak(minutes: float, *sources: Any, **service_tags: Any) -> ObservedSoak:
    bound = Bound(NEW, OLD, 1000.0)
    found = ServiceTags(**{"bound": bound, **service_tags})
    return ObservedSoak("staging", observed().service, found, 1000.0 + minutes * 60, sources)


def test_all_checks_are_asked_and_a_broken_one_is_a_reason() -> None:
    def broken(_: Observed) -> tuple[str, ...]:
        raise ValueError("no")

    checks = Checks({"one": lambda _: ("a",), "two": broken, "three": lambda _: ("b", "a")})
    assert ("a", "two could not be checked: ValueError: no", "b") == checks(observed())


@pytest.mark.parametrize(
    ("answer", "acknowledged", "refused"),
    [
        ("good", False, False),
        ("unknown", True, False),
        ("unknown", False, True),
        ("bad", True, True),
        ("bad", False, True),
    ],
)
def test_ownership_is_settled_by_the_hcl_or_by_an_acknowledgement_that_it_does_not_deny(
    answer: str, acknowledged: bool, refused: bool
) -> None:
    assert refused == bool(owned(Status(answer), "why", acknowledged=acknowledged)(observed()))


def test_without_a_baseline_nothing_moves_unless_it_is_allowed_in_so_many_words() -> None:
    assert "there is no baseline" in Gated(None, allow_ungated=False)(observed())[0]
    assert () == Gated(None, allow_ungated=True)(observed())


def test_a_gate_that_fails_before_any_change_is_a_stop() -> None:
    reasons = Gated(FakeGates({OLD: "gate 3"}), allow_ungated=False)(observed(revision=OLD))
    assert ("gate 3 (already on app:7, before any change)",) == reasons


@pytest.mark.parametrize("against", [(), ("the repair was spent by app:7",)])
def test_a_repair_is_stopped_by_no_red_gate_unless_it_was_spent(against: tuple[str, ...]) -> None:
    said: list[str] = []
    gated = Gated(FakeGates({OLD: "gate 3"}), allow_ungated=False, repair=lambda _: against, say=said.append)
    red = "gate 3 (already on app:7, before any change)"
    assert ((red, *against) if against else ()) == gated(observed(revision=OLD))
    assert ([] if against else [f"{red}: reported only, because atlas-access:repair states a repair"]) == said


@pytest.mark.parametrize(
    ("ok", "said"), [(True, ()), (False, ("alarm 5xx: why",)), (None, ("alarm 5xx: unknown: why",))]
)
def test_an_alarm_that_is_not_ok_before_any_change_is_a_stop(ok: bool | None, said: tuple[str, ...]) -> None:
    before = replace(observed(revision=OLD), alarms=(Alarm("5xx", ok, "why"),))
    reasons = Gated(FakeGates(), allow_ungated=False)(before)
    assert tuple(f"{each} (already on app:7, before any change)" for each in said) == reasons


def test_gates_that_cannot_be_run_stop_a_repair_too() -> None:
    gated = Gated(FakeGates(refused=("no baseline",)), allow_ungated=False, repair=lambda _: ())
    assert ("no baseline",) == gated(observed())


def test_gates_that_cannot_be_relied_on_are_not_asked() -> None:
    gates = FakeGates(refused=("the baseline is another stack's",))
    against = Gated(gates, allow_ungated=False)(observed())
    assert (("the baseline is another stack's",), []) == (against, gates.asked)


def test_references_are_read_with_their_versions() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:111111111111:secret:staging/mongodb/app-read-v2-AbCdEf"
    secrets = [
        {"name": "A", "valueFrom": f"{arn}:::v1"},
        {"name": "B", "valueFrom": "arn:aws:ssm:r:1:parameter/x"},
    ]
    found, foreign = references({"containerDefinitions": [{"name": "app", "secrets": secrets}]})
    assert ([("A", arn, "v1", "staging/mongodb/app-read-v2")], ("B",)) == (
        [(variable, each.arn, each.version, each.name) for variable, each in found.items()],
        foreign,
    )


@pytest.mark.parametrize(
    ("before", "during", "expected"),
    [(0, 3, Errors.CLEAR), (0, 4, Errors.SPIKE), (10, 20, Errors.CLEAR), (10, 21, Errors.SPIKE)],
)
def test_a_spike_is_more_than_twice_the_errors_before(before: int, during: int, expected: Errors) -> None:
    assert expected is spike("logs", before, during).answer


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (soak(29), "has soaked 29 of 30 minutes; update again in 1 minutes"),
        (soak(31, bound=None), "is not bound"),
        (soak(31, bound=Bound(OLD, OLD, 1.0)), "is not bound"),
        (soak(31, held=0), "was rolled back and is held"),
        (soak(31, lease=Lease("r", OLD, NEW, 1.0)), "is being moved by run r"),
        (soak(31, broken="the lease"), "make no sense"),
        (soak(31, spike("service logs", 0, 9)), "service logs: spike: 9 errors"),
        (soak(31, unknown("service logs", "no group")), "service logs: unknown: no group"),
    ],
)
def test_the_next_stack_waits_for_each_of_these(found: ObservedSoak, why: str) -> None:
    (reason,) = refusals(found, 30)
    assert why in reason
    assert why in line(found, 30)


def test_a_quiet_soak_lets_the_next_stack_go() -> None:
    found = soak(31, spike("service logs", 0, 0))
    assert () == refusals(found, 30)
    assert line(found, 30).startswith("staging: soaked 31 minutes, service logs: 0 errors in the soak")


def test_the_gates_of_the_stack_before_are_run_again() -> None:
    check = soaked(lambda: soak(31), 30, lambda: FakeGates({NEW: "gate 5"}), allow_ungated=False)
    assert ("staging: gate 5",) == check(observed())
    without = soaked(lambda: soak(31), 30, lambda: None, allow_ungated=False)
    assert ("staging: its gates cannot be run again: no baseline of it",) == without(observed())


def test_gates_of_the_stack_before_that_nobody_here_may_run_are_a_reason() -> None:
    def refused() -> Gates | None:
        raise AwsUnavailable("taking on arn:aws:iam::111111111111:role/observer", "AccessDenied")

    (printed,) = soaked(lambda: soak(31), 30, refused, allow_ungated=False)(observed())
    assert "staging: its gates cannot be run again: taking on arn:aws:iam::" in printed


@pytest.mark.parametrize(("signs_up", "red"), [(True, ["gate 8"]), (False, [])])
def test_a_sign_up_is_left_out_only_where_it_is_stated_to_be(
    monkeypatch: pytest.MonkeyPatch, signs_up: bool, red: list[str]
) -> None:
    standing = dict.fromkeys(Gate, Standing.MET) | {Gate.WAITLIST: Standing.UNKNOWN}
    results = tuple(GateResult(gate, found, "") for gate, found in standing.items())
    monkeypatch.setattr(
        "atlas_access.rollout.smoke_gates.one_round", lambda *_, **__: GateRound(1, results, (), 0.0)
    )
    found = SmokeGates(smoke_order(), signs_up=signs_up).round(NEW, lambda: False)
    assert red == [each[:6] for each in found.failures]


def test_a_look_that_fails_is_the_reason() -> None:
    check = soaked(lambda: "staging: unknown", 30, lambda: FakeGates(), allow_ungated=False)
    assert ("staging: unknown",) == check(observed())


def test_the_clock_is_advanced_in_a_sandbox(tmp_path: Path) -> None:
    (tmp_path / "sandbox.json").write_text("{}")
    assert (60.0, 90.0) == (advance(tmp_path, 60), advance(tmp_path, 30))
    sandbox = Endpoints(
        sandbox=True, aws=LOOPBACK, atlas=LOOPBACK, smoke=LOOPBACK, contacts=LOOPBACK, github=LOOPBACK
    )
    assert 90.0 == clock_for({"ATLAS_ACCESS_SANDBOX_DIR": str(tmp_path)}, sandbox).advanced


def test_the_clock_stands_still_everywhere_else(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("9000")
    assert 0.0 == clock_for({"ATLAS_ACCESS_SANDBOX_DIR": str(tmp_path)}, Endpoints()).advanced
    with pytest.raises(ClockRefused, match="holds no sandbox"):
        advance(tmp_path, 60)


def test_the_clock_never_goes_back(tmp_path: Path) -> None:
    (tmp_path / "sandbox.json").write_text("{}")
    with pytest.raises(ClockRefused, match="only goes forward"):
        advance(tmp_path, -1)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400)])
def test_a_length_of_time_is_read_by_its_unit(text: str, seconds: int) -> None:
    assert seconds == seconds_of(text)


@pytest.mark.parametrize("text", ["", "30", "-30m", "m", "1.5h", "30 minutes"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ClockRefused, match="write it as 90s, 30m, 2h or 1d"):
        seconds_of(text)


def test_nothing_begins_outside_a_sandbox_without_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    (refused,) = Gated(SmokeGates(smoke_order()), allow_ungated=False)(observed())
    assert "staging: no browser is installed here" in refused
    assert "apt-get install chromium" in refused
    in_sandbox = replace(smoke_order(), endpoints=LOOPBACK_ONLY)
    assert () == SmokeGates(in_sandbox).refusals()


def test_an_ungated_rollout_is_refused_outside_the_sandbox() -> None:
    with pytest.raises(SettingsInvalid, match=r"allowUngatedRollout: is for the sandbox's own tests"):
        check_settings("staging", read_files(ROOT), sandbox=False, overrides={"allowUngatedRollout": "true"})


def test_prod_goes_after_the_stack_whose_data_it_reads() -> None:
    files = read_files(ROOT)
    assert ("", "staging") == tuple(
        check_settings(stack, files, sandbox=True).goes_after for stack in ("staging", "prod")
    )


def test_a_soak_of_less_than_half_an_hour_is_no_setting() -> None:
    with pytest.raises(SettingsInvalid, match="soakMinutes"):
        check_settings("prod", read_files(ROOT), sandbox=True, overrides={"soakMinutes": "29"})


def _binds(reference: str) -> dict[str, Any]:
    secrets = [{"name": "MONGODB_URI", "valueFrom": reference}]
    return {"containerDefinitions": [{"name": "app", "secrets": secrets}]}


@pytest.mark.parametrize(
    ("reference", "bound"), [("arn:new:::1", NEW), ("arn:new:::2", OLD), ("arn:legacy", OLD)]
)
def test_a_release_of_the_same_secrets_is_as_bound_as_the_recorded_one(reference: str, bound: str) -> None:
    service_tags = released(
        ServiceTags(bound=Bound(OLD, OLD, 5.0)), NEW, _binds("arn:new:::1"), _binds(reference)
    )
    assert Bound(bound, OLD, 5.0) == service_tags.bound


def test_a_service_that_was_never_bound_stays_so() -> None:
    assert ServiceTags() == released(ServiceTags(), NEW, _binds("arn:new:::1"), _binds("arn:new:::1"))
