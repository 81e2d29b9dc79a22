"""What nobody is to inspect stays visible: in the check itself, and where a gate rests on it."""

from dataclasses import replace

from drift_cases import CLUSTER, NOW, settings, wanted
from retirement_world import DAY, STACK, observed

from atlas_access.base import Status
from atlas_access.base.endpoints import Endpoints
from atlas_access.base.phases import Step
from atlas_access.drift.finding import Drift
from atlas_access.drift.model import NotReached
from atlas_access.drift.observe import read_collections
from atlas_access.retirement.judge import conditions

LEFT_OUT = NotReached(f"collections of {CLUSTER}", "driftWithoutCollections is set")


def test_collections_that_a_setting_leaves_out_are_reported_and_not_asked_for() -> None:
    stated = settings().model_copy(update={"drift_without_collections": True})
    assert LEFT_OUT == read_collections(replace(wanted(), settings=stated), Endpoints.from_environment({}))


def test_the_gate_of_a_retirement_says_what_its_drift_check_left_out() -> None:
    drift = Drift(STACK, NOW, (), not_reached=(LEFT_OUT,), checked=(("users", 13),))
    found = {
        each.name: each for each in conditions(observed(Step.TOMBSTONE, 10 * DAY, drift=drift), strict=True)
    }
    assert (Status.GOOD, "clean: 13 users; not inspected: " + str(LEFT_OUT)) == (
        found["drift_clean"].status,
        found["drift_clean"].message,
    )
