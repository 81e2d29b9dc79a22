"""A soak that is watched ends green once it is over, at once when something is red, and never green on the unknown."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rollout_world import NEW, OLD, FakeClock, FakeEcs, FakeGates

from atlas_access.clients import Alarm
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_tags import Bound, ServiceTags
from atlas_access.rollout.soak import ObservedSoak, alarmed, spike, unknown, windows
from atlas_access.rollout.watch_soak import _Watch

START = 1_000_000.0
BOUND = ServiceTags(bound=Bound(NEW, OLD, START))
CLEAR = (spike("service logs", 0, 0), alarmed(Alarm("5xx", ok=True, why="OK")))


def look(clock: FakeClock, *sources: Any, tags: ServiceTags = BOUND) -> ObservedSoak:
    return ObservedSoak(
        "staging", Service(FakeEcs.running(NEW), "c", "app").observe(), tags, clock.now, sources
    )


class Watch:
    """A watch of thirty minutes; `after` gives what is seen at a minute of it."""

    def __init__(self, after: Callable[[float, FakeClock], Any], gates: FakeGates | None = None) -> None:
        self.clock, self.said, self.eight = FakeClock(), list[str](), list[bool]()
        self.gates = gates or FakeGates()

        def asked(*, all_eight: bool) -> FakeGates:
            self.eight.append(all_eight)
            return self.gates

        def now() -> Any:
            return after((self.clock.now - START) / 60, self.clock)

        self.watch = _Watch("staging", 30, now, asked, self.said.append, self.clock)

    def end(self, *, wait: bool = True) -> tuple[int, str, int]:
        """Exit code, text, and the minutes that it took."""
        try:
            code, text = 0, self.watch.end(wait=wait)
        except RolloutFailed as failure:
            code, text = failure.exit_code, str(failure)
        return code, text, round((self.clock.now - START) / 60)


def test_a_clear_soak_ends_green_when_it_is_over_with_all_eight_gates() -> None:
    watch = Watch(lambda _, clock: look(clock, *CLEAR))
    code, text, minutes = watch.end()
    assert (0, 30, [False, False, True]) == (code, minutes, watch.eight[:2] + watch.eight[-1:])
    assert text.startswith("staging: app:8 has soaked 30 of 30 minutes; service logs: 0 errors in the soak")
    assert [NEW] * len(watch.eight) == watch.gates.asked


def sources(*, late: Any) -> Callable[[float, FakeClock], Any]:
    return lambda minute, clock: look(clock, *(CLEAR if minute < 12 else (late,)))


@pytest.mark.parametrize(
    ("late", "why"),
    [
        (spike("service logs", 0, 9), "service logs: spike: 9 errors in the soak"),
        (alarmed(Alarm("5xx", ok=False, why="ALARM: 9 errors")), "alarm 5xx: in alarm: ALARM: 9 errors"),
    ],
)
def test_what_is_red_ends_the_soak_at_once_and_names_the_rollback(late: Any, why: str) -> None:
    code, text, minutes = Watch(sources(late=late)).end()
    assert (1, 12) == (code, minutes)
    assert text.startswith(f"SOAK FAILED  staging: {why}")
    assert "atlas-access rollback staging (docs/runbooks/rollback.md)" in text


def test_a_gate_that_is_red_twice_ends_the_soak() -> None:
    watch = Watch(lambda _, clock: look(clock, *CLEAR), FakeGates({NEW: "gate 3"}))
    code, text, minutes = watch.end()
    assert (1, 10, [NEW, NEW]) == (code, minutes, watch.gates.asked)
    assert text.startswith("SOAK FAILED  staging: gate 3")


@pytest.mark.parametrize(
    "late",
    [
        alarmed(Alarm("5xx", ok=None, why="INSUFFICIENT_DATA")),
        unknown("Atlas login failures", "no credentials"),
    ],
)
def test_the_unknown_is_waited_for_and_never_green(late: Any) -> None:
    code, text, minutes = Watch(sources(late=late)).end()
    assert (3, 30) == (code, minutes)
    assert text.startswith(f"SOAK NOT KNOWN  staging: staging: {late.name}: unknown: {late.why}")


def test_what_was_unknown_meanwhile_does_not_fail_a_soak_that_ends_clear() -> None:
    def seen(minute: float, clock: FakeClock) -> Any:
        return (
            "staging: whether it is bound and has soaked is unknown" if minute < 12 else look(clock, *CLEAR)
        )

    watch = Watch(seen)
    assert (0, 30) == watch.end()[::2]
    assert "staging: whether it is bound and has soaked is unknown" in watch.said


def test_gates_that_stay_unknown_are_no_success() -> None:
    watch = Watch(lambda _, clock: look(clock, *CLEAR), FakeGates({NEW: "gate 6: no browser"}, unknown=True))
    code, text, _ = watch.end()
    assert (3, True) == (code, "gate 6: no browser" in text)


def test_without_watch_a_soak_that_is_not_over_is_unknown() -> None:
    code, text, minutes = Watch(lambda _, clock: look(clock, *CLEAR)).end(wait=False)
    assert (3, 0) == (code, minutes)
    assert "staging has soaked 0 of 30 minutes; update again in 30 minutes" in text


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        (ServiceTags(), "app:8 runs, on which no green rollout ended"),
        (replace(BOUND, held=0), "the service was rolled back and is held"),
    ],
)
def test_a_service_that_is_not_bound_does_not_soak(tags: ServiceTags, why: str) -> None:
    code, text, minutes = Watch(lambda _, clock: look(clock, *CLEAR, tags=tags)).end()
    assert (1, 0, True) == (code, minutes, why in text)


def test_a_soak_that_begins_anew_again_and_again_ends_unknown() -> None:
    def seen(_: float, clock: FakeClock) -> Any:
        return look(clock, *CLEAR, tags=ServiceTags(bound=Bound(NEW, OLD, clock.now)))

    assert (3, 60) == Watch(seen).end()[::2]


def test_a_soak_is_compared_with_as_long_a_time_before_it_and_by_its_last_day() -> None:
    assert ((-1800.0, 0.0), (0.0, 1800.0)) == windows(0.0, 1800.0)
    assert ((-86400.0, 0.0), (2 * 86400.0, 3 * 86400.0)) == windows(0.0, 3 * 86400.0)
