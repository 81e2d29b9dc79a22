"""CloudWatch alarms that a rollout watches: one in ALARM is a red gate, and nothing is green before all are OK."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rollout_world import NEW, OLD, FakeClock, FakeEcs, FakeGates, forward, go, settled

from atlas_access.clients import Alarm
from atlas_access.rollout.alarms import Watched, alarm_names
from atlas_access.rollout.report import RolloutFailed

SMOKE = Path(__file__).parents[2] / "smoke.yaml"


def from_swap(ecs: FakeEcs, ok: bool | None, seconds: float = 1e9) -> Callable[[], tuple[Alarm, ...]]:
    """An alarm that is OK, but for so many seconds after the swap."""
    return lambda: (
        Alarm("5xx", ok if ecs.deployed and ecs.clock.now < 1_000_000.0 + seconds else True, "why"),
    )


def test_an_alarm_in_alarm_puts_the_recorded_revision_back_and_holds_the_service() -> None:
    ecs = FakeEcs.running()
    with pytest.raises(RolloutFailed, match=r"(?s)ROLLED BACK  staging: alarm 5xx: why.*app:7 runs again"):
        go(ecs, forward(), FakeGates(), alarms=from_swap(ecs, ok=False))
    assert ((OLD, 1, False, ""), 0) == (settled(ecs), ecs.service_tags.held)


def test_an_alarm_that_goes_off_during_a_round_ends_it_at_once() -> None:
    ecs, gates = FakeEcs.running(), FakeGates()
    with pytest.raises(RolloutFailed, match="ROLLED BACK  staging: alarm 5xx: why"):
        go(ecs, forward(), gates, alarms=lambda: (Alarm("5xx", not gates.asked, "why"),))
    assert [NEW, OLD] == gates.asked


def test_an_unknown_alarm_is_waited_for_and_said() -> None:
    ecs, said = FakeEcs.running(), list[str]()
    go(ecs, forward(), FakeGates(), said=said, alarms=from_swap(ecs, ok=None, seconds=20))
    assert NEW == settled(ecs)[3]
    assert [each for each in said if each.startswith("alarm 5xx: unknown: why (")]


def test_an_alarm_that_stays_unknown_is_no_success() -> None:
    ecs, gates = FakeEcs.running(), FakeGates()
    with pytest.raises(RolloutFailed, match="not stable and green within 60 s: alarm 5xx: unknown: why"):
        go(ecs, forward(), gates, alarms=from_swap(ecs, ok=None))
    assert (OLD, [OLD]) == (settled(ecs)[0], gates.asked)


def test_an_alarm_that_was_in_alarm_before_a_repair_has_until_the_deadline() -> None:
    ecs, gates = FakeEcs.running(), FakeGates()

    def red(seconds: float) -> Callable[[], tuple[Alarm, ...]]:
        return lambda: (Alarm("5xx", ecs.clock.now > 1_000_000.0 + seconds, "why"),)

    go(ecs, forward(), gates, alarms=red(20))
    assert NEW == settled(ecs)[3]
    ecs = FakeEcs.running()
    with pytest.raises(RolloutFailed, match="not stable and green within 60 s: alarm 5xx: why"):
        go(ecs, forward(), gates, alarms=red(1e9))


def test_cloudwatch_is_asked_every_five_seconds() -> None:
    clock, asked = FakeClock(), list[float]()
    watched = Watched(lambda: (asked.append(clock.now), ())[1], clock)
    for _ in range(12):
        watched()
        clock.pause(1.0)
    assert [0.0, 5.0, 10.0] == [each - 1_000_000.0 for each in asked]


def test_the_alarms_of_a_stack_are_named_by_smoke_yaml(tmp_path: Path) -> None:
    assert () == alarm_names("prod", tmp_path)
    (tmp_path / "smoke.yaml").write_text(SMOKE.read_text() + "alarms: ['askflorence-{env}-5xx', latency]\n")
    assert ("askflorence-prod-5xx", "latency") == alarm_names("prod", tmp_path)
