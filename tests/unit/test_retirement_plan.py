"""What the retirement refuses: shifted clocks, edited tags, things that changed meanwhile. Nothing is lost by it."""

from dataclasses import replace

import pytest
from retirement_world import DAY, IDLE, KEPT, LEGACY, FakeSystems, Run, gone, held, untouched

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
from atlas_access.retirement.observed import BoundRevision, ObservedAccount
from atlas_access.retirement.report import RetirementRefused
from atlas_access.retirement.steps import LiveUser, SecretState, Way
from atlas_access.rollout.service_tags import TagUnwritable


def tombstoned() -> FakeSystems:
    systems = FakeSystems()
    Run().go(systems, Way.TOMBSTONE)
    return systems


def soaked() -> FakeSystems:
    """Tombstoned for as long as a deletion needs."""
    systems = tombstoned()
    systems.clock.now += DAY
    return systems


def refused(systems: FakeSystems, way: Way, since: float | None = None, **broken: object) -> str:
    before = held(systems), set(systems.roles), dict(systems.secrets)
    with pytest.raises(RetirementRefused) as failure:
        Run(broken).go(systems, way, since)
    assert before == (held(systems), set(systems.roles), dict(systems.secrets))
    return str(failure.value)


def test_a_tombstone_takes_every_legacy_role_and_nothing_else() -> None:
    systems = tombstoned()
    assert {name: {TOMBSTONED} for name in LEGACY} | KEPT == held(systems)
    assert LEGACY == read_journal(systems.tags).was
    assert set() == systems.active


def test_a_day_later_everything_legacy_is_gone_and_what_another_environment_reads_by_goes_last() -> None:
    systems, said = soaked(), list[str]()
    done = Run(said=said).go(systems, Way.DELETE)
    assert gone(systems)
    assert (Stage.DELETED, {}) == (done.stage, done.kept)
    deleted = [line.split() for line in said if line.startswith(("delete", "schedule"))]
    assert ["user"] * 3 + ["role"] * 4 + ["secret"] * 3 == [each[1] for each in deleted]
    assert "app_read_staging" == deleted[2][2]


def test_23_h_59_is_refused_with_the_evidence() -> None:
    systems = tombstoned()
    systems.clock.now = (read_journal(systems.tags).since or 0.0) + DAY - 60
    result = refused(systems, Way.DELETE)
    assert "23 h 59 min of 24 h" in result
    assert "met     drift_clean" in result


def test_a_clock_shifted_back_is_refused() -> None:
    systems = tombstoned()
    systems.clock.now -= 3 * DAY
    assert "lies in the future" in refused(systems, Way.DELETE)


def test_nothing_is_deleted_without_a_tombstone() -> None:
    assert "nothing is tombstoned" in refused(FakeSystems(), Way.DELETE)


@pytest.mark.parametrize("stage", [Stage.TOMBSTONED, Stage.DELETING, Stage.DELETED])
def test_tags_that_claim_an_older_tombstone_do_not_hasten_the_deletion(stage: Stage) -> None:
    """Atlas' labels know better."""
    systems = tombstoned()
    systems.tags |= stage_tags(stage, systems.clock.now - 5 * DAY)
    assert "edited by hand" in refused(systems, Way.DELETE)


def test_tags_that_disagree_with_the_state_are_refused() -> None:
    systems = tombstoned()
    since = read_journal(systems.tags).since or 0.0
    systems.clock.now += DAY
    assert "do not agree" in refused(systems, Way.DELETE, since - 500)


@pytest.mark.parametrize("edit", [{STAGE: "burnt"}, {SINCE: "yesterday"}, {SINCE: ""}, {f"{WAS}x": "nobody"}])
def test_tags_that_make_no_sense_stop_everything(edit: dict[str, str]) -> None:
    for way in (Way.TOMBSTONE, Way.DELETE, Way.RESTORE):
        systems = tombstoned()
        systems.tags |= edit
        assert "make no sense" in refused(systems, way)


def test_a_role_that_was_given_back_by_hand_stops_the_deletion() -> None:
    systems = soaked()
    systems.users["audit_reader"] = replace(systems.users["audit_reader"], roles=LEGACY["audit_reader"])
    assert "audit_reader holds role_audit_reader@admin again" in refused(systems, Way.DELETE)


@pytest.mark.parametrize("way", [Way.TOMBSTONE, Way.RESTORE])
def test_a_role_given_beside_the_tombstone_is_kept_with_the_old_ones(way: Way) -> None:
    systems, extra = tombstoned(), HeldRole("read", "other")
    systems.users["audit_reader"] = LiveUser(frozenset({TOMBSTONED, extra}), 1.0)
    Run().go(systems, way)
    kept = read_journal(systems.tags).was if way is Way.TOMBSTONE else held(systems)
    assert LEGACY["audit_reader"] | {extra} == kept["audit_reader"]


def test_a_tombstone_role_that_grants_more_is_refused() -> None:
    systems = FakeSystems(role_sound=False)
    systems.roles.add(TOMBSTONED.name)
    with pytest.raises(RetirementRefused, match="grants more than it should"):
        Run().go(systems, Way.TOMBSTONE)
    assert LEGACY | KEPT == held(systems)


def test_an_unmet_gate_touches_nothing_and_shows_every_condition() -> None:
    systems = FakeSystems()
    result = refused(systems, Way.TOMBSTONE, smoke=("gate 3",), confirmation="retire prod")
    assert "2 reasons" in result
    assert 5 == result.count("\n  met ")
    assert untouched(systems)
    assert set(IDLE) == systems.active


def test_a_revision_in_use_is_never_deregistered() -> None:
    systems = FakeSystems()
    used = ObservedAccount("staging", 9, (BoundRevision(IDLE[1], True, ("plans-write",), ("service app",)),))
    assert "used by service app" in refused(systems, Way.TOMBSTONE, accounts=(used,))
    assert set(IDLE) == systems.active


def test_a_legacy_bound_revision_registered_meanwhile_goes_first() -> None:
    systems = soaked()
    systems.active.add(IDLE[0])
    Run().go(systems, Way.DELETE)
    assert set() == systems.active
    assert gone(systems)


def test_a_revision_deleted_meanwhile_is_no_trouble() -> None:
    systems = FakeSystems(active={IDLE[0]})
    Run().go(systems, Way.TOMBSTONE)
    assert Stage.TOMBSTONED is read_journal(systems.tags).stage


def test_what_is_gone_or_scheduled_already_is_understood() -> None:
    systems = soaked()
    del systems.users["audit_reader"]
    systems.roles.discard("role_audit_reader")
    systems.secrets = dict.fromkeys(systems.secrets, SecretState.SCHEDULED)
    Run().go(systems, Way.DELETE)
    assert gone(systems)


def test_a_legacy_user_that_is_gone_before_its_tombstone_is_left_out() -> None:
    systems = FakeSystems()
    del systems.users["audit_reader"]
    Run().go(systems, Way.TOMBSTONE)
    assert {"app_writer_plans", "app_read_staging"} == set(read_journal(systems.tags).was)


def test_a_role_that_somebody_else_holds_stays_and_is_reported() -> None:
    systems = soaked()
    systems.users["dba"] = LiveUser(frozenset({HeldRole("role_audit_reader", "admin")}))
    done = Run().go(systems, Way.DELETE)
    assert {"role_audit_reader": "dba holds it"} == done.kept
    assert "role_audit_reader" in systems.roles


def test_a_role_that_atlas_still_thinks_in_use_is_tried_again() -> None:
    systems = soaked()
    systems.lagging = 3
    done = Run().go(systems, Way.DELETE)
    assert {} == done.kept
    assert gone(systems)


def test_gates_that_turn_red_without_the_roles_bring_them_back() -> None:
    systems = FakeSystems()
    with pytest.raises(RetirementRefused, match=r"RESTORED .* gate 2: no plans"):
        Run(red=("gate 2: no plans",)).go(systems, Way.TOMBSTONE)
    assert untouched(systems)


def test_a_restore_gives_back_what_was_recorded_not_what_was_declared() -> None:
    systems = FakeSystems()
    wider = LEGACY["audit_reader"] | {HeldRole("read", "askflorence", "plans")}
    systems.users["audit_reader"] = LiveUser(wider)
    Run().go(systems, Way.TOMBSTONE)
    Run().go(systems, Way.RESTORE)
    assert wider == systems.users["audit_reader"].roles


def test_once_the_deletion_has_begun_there_is_no_restore_and_it_says_what_it_takes() -> None:
    systems = soaked()
    Run().go(systems, Way.DELETE)
    result = refused(systems, Way.RESTORE)
    assert "a new user with a new password" in result


def test_roles_go_through_a_tag_and_back() -> None:
    roles = frozenset({HeldRole("read", "askflorence", "plans.v2"), HeldRole("role_x", "admin")})
    assert roles == read_roles(was_tags("u", roles)[f"{WAS}u"])


def test_roles_that_fit_no_tag_stop_before_they_are_taken_away() -> None:
    many = frozenset(HeldRole(f"role_with_a_long_name_{number}", "admin") for number in range(20))
    with pytest.raises(TagUnwritable):
        was_tags("u", many)
    systems = FakeSystems()
    systems.users["audit_reader"] = LiveUser(many)
    with pytest.raises(RetirementRefused, match="do not fit"):
        Run().go(systems, Way.TOMBSTONE)
    assert many == systems.users["audit_reader"].roles


def test_an_atlas_that_does_not_answer_ends_the_run_as_unknown_and_the_next_one_goes_on() -> None:
    systems = FakeSystems()

    def silent(where: str) -> None:
        if where == "before strip":
            raise AtlasUnread("Atlas project p", "no answer in time")

    systems.at_boundary = silent
    with pytest.raises(RetirementRefused, match=r"NOT KNOWN .* no answer in time") as failure:
        Run().go(systems, Way.TOMBSTONE)
    assert 3 == failure.value.exit_code
    systems.at_boundary = lambda _: None
    Run().go(systems, Way.TOMBSTONE)
    assert Stage.TOMBSTONED is read_journal(systems.tags).stage


def test_gates_that_are_red_once_and_green_again_bring_nothing_back() -> None:
    """A role that somebody needs is missing every time."""
    systems, said = FakeSystems(), list[str]()
    rounds = iter([("gate 1: no answer",), ()])
    Run(said=said, rounds=rounds).go(systems, Way.TOMBSTONE)
    assert Stage.TOMBSTONED is read_journal(systems.tags).stage
    assert "the gates are asked once more: gate 1: no answer" in said
