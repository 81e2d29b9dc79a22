"""What the retirement refuses: shifted clocks, edited tags, things that changed meanwhile. Nothing is lost by it."""

from dataclasses import replace

import pytest
from retirement_world import DAY, IDLE, KEPT, LEGACY, FakeEstate, Run, gone, held, untouched

from atlas_access.base.observed import HeldRole
from atlas_access.clients.errors import AtlasUnread
from atlas_access.retirement.journal import (
    SINCE,
    STAGE,
    WAS,
    Stage,
    read_journal,
    read_roles,
    stage_tags,
    was_tags,
)
from atlas_access.retirement.model import TOMBSTONED
from atlas_access.retirement.observed import BoundRevision, SeenAccount
from atlas_access.retirement.report import RetirementRefused
from atlas_access.retirement.steps import LiveUser, SecretState, Way
from atlas_access.rollout.service_tags import MarkUnwritable


def tombstoned() -> FakeEstate:
    estate = FakeEstate()
    Run().go(estate, Way.TOMBSTONE)
    return estate


def soaked() -> FakeEstate:
    """Tombstoned for as long as a deletion needs."""
    estate = tombstoned()
    estate.clock.now += DAY
    return estate


def refused(estate: FakeEstate, way: Way, since: float | None = None, **broken: object) -> str:
    before = held(estate), set(estate.roles), dict(estate.secrets)
    with pytest.raises(RetirementRefused) as failure:
        Run(broken).go(estate, way, since)
    assert before == (held(estate), set(estate.roles), dict(estate.secrets))
    return str(failure.value)


def test_a_tombstone_takes_every_legacy_role_and_nothing_else() -> None:
    estate = tombstoned()
    assert {name: {TOMBSTONED} for name in LEGACY} | KEPT == held(estate)
    assert LEGACY == read_journal(estate.tags).was
    assert set() == estate.active


def test_a_day_later_everything_legacy_is_gone_and_what_another_environment_reads_by_goes_last() -> None:
    estate, said = soaked(), list[str]()
    done = Run(said=said).go(estate, Way.DELETE)
    assert gone(estate)
    assert (Stage.DELETED, {}) == (done.stage, done.kept)
    deleted = [line.split() for line in said if line.startswith(("delete", "schedule"))]
    assert ["user"] * 3 + ["role"] * 4 + ["secret"] * 3 == [each[1] for each in deleted]
    assert "app_read_staging" == deleted[2][2]


def test_23_h_59_is_refused_with_the_evidence() -> None:
    estate = tombstoned()
    estate.clock.now = (read_journal(estate.tags).since or 0.0) + DAY - 60
    result = refused(estate, Way.DELETE)
    assert "23 h 59 min of 24 h" in result
    assert "met     drift_clean" in result


def test_a_clock_shifted_back_is_refused() -> None:
    estate = tombstoned()
    estate.clock.now -= 3 * DAY
    assert "lies in the future" in refused(estate, Way.DELETE)


def test_nothing_is_deleted_without_a_tombstone() -> None:
    assert "nothing is tombstoned" in refused(FakeEstate(), Way.DELETE)


@pytest.mark.parametrize("stage", [Stage.TOMBSTONED, Stage.DELETING, Stage.DELETED])
def test_tags_that_claim_an_older_tombstone_do_not_hasten_the_deletion(stage: Stage) -> None:
    """Atlas' labels know better."""
    estate = tombstoned()
    estate.tags |= stage_tags(stage, estate.clock.now - 5 * DAY)
    assert "edited by hand" in refused(estate, Way.DELETE)


def test_tags_that_disagree_with_the_state_are_refused() -> None:
    estate = tombstoned()
    since = read_journal(estate.tags).since or 0.0
    estate.clock.now += DAY
    assert "do not agree" in refused(estate, Way.DELETE, since - 500)


@pytest.mark.parametrize("edit", [{STAGE: "burnt"}, {SINCE: "yesterday"}, {SINCE: ""}, {f"{WAS}x": "nobody"}])
def test_tags_that_make_no_sense_stop_everything(edit: dict[str, str]) -> None:
    for way in (Way.TOMBSTONE, Way.DELETE, Way.RESTORE):
        estate = tombstoned()
        estate.tags |= edit
        assert "make no sense" in refused(estate, way)


def test_a_role_that_was_given_back_by_hand_stops_the_deletion() -> None:
    estate = soaked()
    estate.users["audit_reader"] = replace(estate.users["audit_reader"], roles=LEGACY["audit_reader"])
    assert "audit_reader holds role_audit_reader@admin again" in refused(estate, Way.DELETE)


@pytest.mark.parametrize("way", [Way.TOMBSTONE, Way.RESTORE])
def test_a_role_given_beside_the_tombstone_is_kept_with_the_old_ones(way: Way) -> None:
    estate, extra = tombstoned(), HeldRole("read", "other")
    estate.users["audit_reader"] = LiveUser(frozenset({TOMBSTONED, extra}), 1.0)
    Run().go(estate, way)
    kept = read_journal(estate.tags).was if way is Way.TOMBSTONE else held(estate)
    assert LEGACY["audit_reader"] | {extra} == kept["audit_reader"]


def test_a_tombstone_role_that_grants_more_is_refused() -> None:
    estate = FakeEstate(role_sound=False)
    estate.roles.add(TOMBSTONED.name)
    with pytest.raises(RetirementRefused, match="grants more than it should"):
        Run().go(estate, Way.TOMBSTONE)
    assert LEGACY | KEPT == held(estate)


def test_an_unmet_gate_touches_nothing_and_shows_every_condition() -> None:
    estate = FakeEstate()
    result = refused(estate, Way.TOMBSTONE, smoke=("gate 3",), confirmation="retire prod")
    assert "2 reasons" in result
    assert 5 == result.count("\n  met ")
    assert untouched(estate)
    assert set(IDLE) == estate.active


def test_a_revision_in_use_is_never_deregistered() -> None:
    estate = FakeEstate()
    used = SeenAccount("staging", 9, (BoundRevision(IDLE[1], True, ("plans-write",), ("service app",)),))
    assert "used by service app" in refused(estate, Way.TOMBSTONE, accounts=(used,))
    assert set(IDLE) == estate.active


def test_a_legacy_bound_revision_registered_meanwhile_goes_first() -> None:
    estate = soaked()
    estate.active.add(IDLE[0])
    Run().go(estate, Way.DELETE)
    assert set() == estate.active
    assert gone(estate)


def test_a_revision_deleted_meanwhile_is_no_trouble() -> None:
    estate = FakeEstate(active={IDLE[0]})
    Run().go(estate, Way.TOMBSTONE)
    assert Stage.TOMBSTONED is read_journal(estate.tags).stage


def test_what_is_gone_or_scheduled_already_is_understood() -> None:
    estate = soaked()
    del estate.users["audit_reader"]
    estate.roles.discard("role_audit_reader")
    estate.secrets = dict.fromkeys(estate.secrets, SecretState.SCHEDULED)
    Run().go(estate, Way.DELETE)
    assert gone(estate)


def test_a_legacy_user_that_is_gone_before_its_tombstone_is_left_out() -> None:
    estate = FakeEstate()
    del estate.users["audit_reader"]
    Run().go(estate, Way.TOMBSTONE)
    assert {"app_writer_plans", "app_read_staging"} == set(read_journal(estate.tags).was)


def test_a_role_that_somebody_else_holds_stays_and_is_reported() -> None:
    estate = soaked()
    estate.users["dba"] = LiveUser(frozenset({HeldRole("role_audit_reader", "admin")}))
    done = Run().go(estate, Way.DELETE)
    assert {"role_audit_reader": "dba holds it"} == done.kept
    assert "role_audit_reader" in estate.roles


def test_a_role_that_atlas_still_thinks_in_use_is_tried_again() -> None:
    estate = soaked()
    estate.lagging = 3
    done = Run().go(estate, Way.DELETE)
    assert {} == done.kept
    assert gone(estate)


def test_gates_that_turn_red_without_the_roles_bring_them_back() -> None:
    estate = FakeEstate()
    with pytest.raises(RetirementRefused, match=r"RESTORED .* gate 2: no plans"):
        Run(red=("gate 2: no plans",)).go(estate, Way.TOMBSTONE)
    assert untouched(estate)


def test_a_restore_gives_back_what_was_recorded_not_what_was_declared() -> None:
    estate = FakeEstate()
    wider = LEGACY["audit_reader"] | {HeldRole("read", "askflorence", "plans")}
    estate.users["audit_reader"] = LiveUser(wider)
    Run().go(estate, Way.TOMBSTONE)
    Run().go(estate, Way.RESTORE)
    assert wider == estate.users["audit_reader"].roles


def test_once_the_deletion_has_begun_there_is_no_restore_and_it_says_what_it_takes() -> None:
    estate = soaked()
    Run().go(estate, Way.DELETE)
    result = refused(estate, Way.RESTORE)
    assert "a new user with a new password" in result


def test_roles_go_through_a_tag_and_back() -> None:
    roles = frozenset({HeldRole("read", "askflorence", "plans.v2"), HeldRole("role_x", "admin")})
    assert roles == read_roles(was_tags("u", roles)[f"{WAS}u"])


def test_roles_that_fit_no_tag_stop_before_they_are_taken_away() -> None:
    many = frozenset(HeldRole(f"role_with_a_long_name_{number}", "admin") for number in range(20))
    with pytest.raises(MarkUnwritable):
        was_tags("u", many)
    estate = FakeEstate()
    estate.users["audit_reader"] = LiveUser(many)
    with pytest.raises(RetirementRefused, match="do not fit"):
        Run().go(estate, Way.TOMBSTONE)
    assert many == estate.users["audit_reader"].roles


def test_an_atlas_that_does_not_answer_ends_the_run_as_unknown_and_the_next_one_goes_on() -> None:
    estate = FakeEstate()

    def silent(where: str) -> None:
        if where == "before strip":
            raise AtlasUnread("Atlas project p", "no answer in time")

    estate.at_boundary = silent
    with pytest.raises(RetirementRefused, match=r"NOT KNOWN .* no answer in time") as failure:
        Run().go(estate, Way.TOMBSTONE)
    assert 3 == failure.value.exit_code
    estate.at_boundary = lambda _: None
    Run().go(estate, Way.TOMBSTONE)
    assert Stage.TOMBSTONED is read_journal(estate.tags).stage


def test_gates_that_are_red_once_and_green_again_bring_nothing_back() -> None:
    """A role that somebody needs is missing every time."""
    estate, said = FakeEstate(), list[str]()
    rounds = iter([("gate 1: no answer",), ()])
    Run(said=said, rounds=rounds).go(estate, Way.TOMBSTONE)
    assert Stage.TOMBSTONED is read_journal(estate.tags).stage
    assert "the gates are asked once more: gate 1: no answer" in said
