"""Rotation by generations: names, labels, which step is legal, what the command writes, and when a generation goes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from atlas_access.base import Generations, Phase, RotationStep, Settings, Status, Unread, login_of
from atlas_access.manifest import load_manifest
from atlas_access.retirement import BoundRevision, ObservedAccount, SoakLogins
from atlas_access.retirement.observed import LegacyLogin
from atlas_access.rotation import RotationRefused, Verb, plan, refusals, with_settings
from atlas_access.rotation.judge import ObservedEnd, ReadBy, conditions, followed
from atlas_access.rotation.labels import (
    Label,
    first_generation,
    generation_in,
    labels,
    next_label,
    read_label,
    too_old,
    versions_of,
)

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "access.yaml").read_text()
MANIFEST = load_manifest(TEXT)
FIVE = load_manifest(
    TEXT.replace(
        "users:\n", "users:\n  app_five: {role: read@askflorence, secret: '{env}/mongodb/five'}\n", 1
    )
)
AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def settings(**given: Any) -> Settings:
    return Settings(
        **{
            "phase": "bind",
            "atlasProjectId": "a" * 24,
            "atlasCluster": "c",
            "awsAccountId": "1" * 12,
            "awsRegion": "us-east-1",
            "kmsAlias": "alias/k",
            "ecsCluster": "c",
            "ecsService": "s",
            "schemaFamily": "f",
            "smokeUrl": "https://example.com",
            **given,
        }
    )


MOVING = {"generations": {"app_write": 2}, "rotating": "app_write"}


def test_a_user_has_two_names_by_turns() -> None:
    assert ["app_read", "app_read_b", "app_read"] == [login_of("app_read", each) for each in (1, 2, 3)]
    asked = Generations({"app_read": 2}, "app_read", RotationStep.MOVE)
    assert ("app_read_b", 1, ("app_read_b", "app_read")) == (
        asked.login("app_read"),
        asked.leaving("app_read"),
        asked.logins("app_read"),
    )
    assert "app_read (generation 2: app_read_b)" == asked.shown("app_read")
    assert (None, ("app_write",)) == (asked.leaving("app_write"), asked.logins("app_write"))
    assert 3 == replace(asked, step=RotationStep.ABORT).leaving("app_read")


# --- Labels ---------------------------------------------------------------------------------------------------------

STAGES = {
    "v1": ["atlas-access.staging.app_read.1.1", "AWSPREVIOUS"],
    "v2": ["atlas-access.staging.app_read.2.1"],
    "v3": ["atlas-access.staging.app_read.2.2", "AWSCURRENT", "theirs"],
    "v4": ["atlas-access.prod.app_read.9.1"],
}


def test_labels_say_which_generation_a_version_holds() -> None:
    assert Label("staging", "app_read", 2, 1) == read_label("atlas-access.staging.app_read.2.1")
    assert [None] * 3 == [
        read_label(each) for each in ("AWSCURRENT", "atlas-access.created", "atlas-access.a.b.c.1")
    ]
    assert 2 == generation_in(STAGES, "staging", "app_read")
    assert {"v2", "v3"} == versions_of(STAGES, "staging", "app_read", 2)
    assert "atlas-access.staging.app_read.2.3" == str(next_label(STAGES, "staging", "app_read", 2))
    assert "atlas-access.staging.app_read.3.1" == str(next_label(STAGES, "staging", "app_read", 3))


def test_a_version_without_our_label_is_the_first_generation() -> None:
    adopted = {"v1": ["AWSCURRENT"]}
    rotated = {"v1": ["AWSPREVIOUS"], "v2": ["AWSCURRENT", "atlas-access.staging.a.2.1"]}
    created = {"v1": ["AWSCURRENT"], "v2": ["atlas-access.created"]}
    assert (1, 1, 2) == tuple(generation_in(each, "staging", "a") for each in ({}, adopted, rotated))
    assert ["v1"] * 3 == [first_generation(each, "staging", "a") for each in (adopted, rotated, created)]


def test_a_secret_never_runs_out_of_its_twenty_labels() -> None:
    stages: dict[str, list[str]] = {}
    for number in range(1, 40):
        for label, version in too_old(stages, "staging", "a"):
            stages[version].remove(str(label))
        stages[f"v{number}"] = [str(next_label(stages, "staging", "a", number))]
        assert len(list(labels(stages, "staging", "a"))) <= 9
    assert {"v39"} == versions_of(stages, "staging", "a", 39)


# --- What is legal --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "now", "said"),
    [
        ({}, {"app_write": 1}, ""),
        (MOVING, {"app_write": 1}, ""),
        (MOVING, {"app_write": 2}, ""),
        (MOVING, {}, ""),
        (
            {"generations": {"app_write": 2}},
            {"app_write": 1},
            "it is not the user that rotates: atlas-access rotate",
        ),
        (
            {**MOVING, "generations": {"app_write": 3}},
            {"app_write": 1},
            "only one step at a time. Set it to 1",
        ),
        ({}, {"app_write": 2}, "only one step at a time. Set it to 2"),
        ({**MOVING, "generations": {"app_write": 1}, "rotationStep": "abort"}, {"app_write": 2}, ""),
        (
            {"generations": {"app_nobody": 2}},
            {},
            "app_nobody is no user of access.yaml (app_read, app_write,",
        ),
        ({**MOVING, "rotating": "app_read"}, {"app_write": 1}, "it is not the user that rotates"),
    ],
)
def test_a_generation_changes_by_one_step(given: dict[str, Any], now: dict[str, int], said: str) -> None:
    found = "\n".join(refusals("staging", MANIFEST, settings(**given).users, now))
    assert (bool(said), True) == (bool(found), said in found), found


def test_five_declared_users_leave_no_room_for_a_rotation() -> None:
    found = "\n".join(refusals("staging", FIVE, settings(**MOVING).users, {}))
    assert "Raise user_cap by a decision (rotationHeadroom in the law)" in found
    assert "atlas-access rotate staging app_write --in-place" in found


# --- What the command writes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "verb", "written"),
    [
        ({}, Verb.START, {"generations": {"app_write": 2}, "rotating": "app_write", "rotationStep": None}),
        (
            MOVING,
            Verb.FINISH,
            {"generations": {"app_write": 2}, "rotating": "app_write", "rotationStep": "finish"},
        ),
        (MOVING, Verb.ABORT, {"generations": None, "rotating": "app_write", "rotationStep": "abort"}),
        (
            {**MOVING, "rotationStep": "finish"},
            Verb.START,
            {"generations": {"app_write": 3}, "rotating": "app_write", "rotationStep": None},
        ),
        (
            {},
            Verb.COMPROMISED,
            {"generations": {"app_write": 2}, "rotating": "app_write", "rotationStep": "revoke"},
        ),
        (
            {**MOVING, "rotationStep": "revoke"},
            Verb.COMPROMISED_NOW,
            {"generations": {"app_write": 2}, "rotating": "app_write", "rotationStep": "revoke-now"},
        ),
        (
            {"passwords": {"app_write": 1}},
            Verb.IN_PLACE,
            {"passwords": {"app_write": 2}, "repair": "password 2 of app_write, replaced in place"},
        ),
    ],
)
def test_each_step_is_one_change_of_the_stacks_file(
    given: dict[str, Any], verb: Verb, written: dict[str, Any]
) -> None:
    assert written == plan("staging", settings(**given), MANIFEST, ["app_write"], verb).settings


@pytest.mark.parametrize(
    ("given", "users", "verb", "said"),
    [
        ({}, ["app_nobody"], Verb.START, "app_nobody is no user of access.yaml. It declares app_read,"),
        (
            {"phase": "provision"},
            ["app_write"],
            Verb.START,
            "staging is in phase provision: a rotation needs phase bind",
        ),
        ({"phase": "retire"}, ["app_write"], Verb.IN_PLACE, "staging is in phase retire"),
        ({}, ["app_write", "app_read"], Verb.START, "One user rotates at a time"),
        (MOVING, ["app_read"], Verb.START, "app_write rotates already (move). End it first"),
        (MOVING, ["app_write"], Verb.START, "app_write rotates already (move)"),
        (MOVING, ["app_write"], Verb.COMPROMISED, "app_write rotates already (move)"),
        (
            {},
            ["app_write"],
            Verb.FINISH,
            "app_write does not rotate (nobody does): there is nothing to finish",
        ),
        (MOVING, ["app_read"], Verb.ABORT, "app_read does not rotate (app_write does)"),
        ({**MOVING, "rotationStep": "finish"}, ["app_write"], Verb.ABORT, "finish is in the file already"),
        ({**MOVING, "rotationStep": "revoke"}, ["app_write"], Verb.ABORT, "there is no way back to it"),
        ({}, ["app_admin_schema"], Verb.IN_PLACE, "adopted with a password that is not ours"),
    ],
)
def test_what_cannot_be_written_is_a_sentence(
    given: dict[str, Any], users: list[str], verb: Verb, said: str
) -> None:
    with pytest.raises(RotationRefused) as refused:
        plan("staging", settings(**given), MANIFEST, users, verb)
    assert said in str(refused.value)


def test_five_declared_users_are_named_both_ways() -> None:
    with pytest.raises(
        RotationRefused, match=r"Either raise user_cap .* or: atlas-access rotate staging app_read --in-place"
    ):
        plan("staging", settings(), FIVE, ["app_read"], Verb.START)


def test_a_person_reads_what_changes_and_what_nobody_knows_yet() -> None:
    lines = plan("staging", settings(), MANIFEST, ["app_read"], Verb.START).lines
    assert lines[0].startswith(
        "Pulumi.staging.yaml: generations.app_read 1 → 2, rotating: app_read     (commit this;"
    )
    assert (
        "create app_read_b · a new version of staging/mongodb/app-read-v2, staging/mongodb/reference-uri-v2"
        in lines[2]
    )
    assert "5 of 5 users meanwhile" in lines[2]
    assert lines[3].startswith("Known only to the preview:")
    assert "prod reads it too: update staging, then prod without an edit, before the finish." == lines[4]
    assert lines[5].startswith("After the soak: atlas-access rotate staging app_read --finish")


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_nothing_else_in_the_stacks_file_changes(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()
    change = plan("staging", settings(), MANIFEST, ["app_write"], Verb.START).settings
    assert (
        f"{text}  atlas-access:generations:\n    app_write: 2\n  atlas-access:rotating: app_write\n"
        == with_settings(text, change)
    )


def test_a_file_that_would_change_its_layout_is_left_alone() -> None:
    with pytest.raises(ValueError, match="its layout would change"):
        with_settings("config:\n    a:   1\n", {"rotating": "app_write"})


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Verb)), st.sampled_from(["app_read", "app_write"]), st.booleans()),
        max_size=12,
    )
)
def test_whatever_is_asked_in_whatever_order_each_written_step_is_legal(
    asked: list[tuple[Verb, str, bool]],
) -> None:
    """`done` says whether an update follows; the labels then record what it wanted."""
    now, given = dict.fromkeys((user.name for user in MANIFEST.users), 1), settings()
    for verb, user, done in asked:
        try:
            change = plan("staging", given, MANIFEST, [user], verb).settings
        except RotationRefused:
            continue
        values = {
            **given.model_dump(by_alias=True),
            **{key: value for key, value in change.items() if value is not None},
        }
        values |= {
            key: Settings.model_fields[name].default
            for key, name in (("generations", "generations"), ("rotationStep", "rotation_step"))
            if key in change and change[key] is None
        }
        wanted = Settings.model_validate(values)
        if list(refusals("staging", MANIFEST, wanted.users, now)):
            # Only an end that was never deployed leaves something behind: its update comes first.
            assert given.users.ends
            continue
        given = wanted
        if done:
            now = {name: given.users.generation(name) for name in now}
        there = {login for name in now for login in given.users.logins(name)}
        assert len(there) <= MANIFEST.user_cap


# --- When a generation goes -----------------------------------------------------------------------------------------


def observed(**given: Any) -> ObservedEnd:
    clean = tuple(
        ReadBy(each, ObservedAccount(each, 9), followed=True, recorded="") for each in ("staging", "prod")
    )
    base = ObservedEnd(
        "staging", "app_read", "app_read", "app_read_b", clean, (), SoakLogins(AT, AT, 40), 0.0
    )
    return replace(base, **given)


def reader(**given: Any) -> dict[str, Any]:
    before = observed().readers
    return {"readers": (before[0], replace(before[1], **given))}


USED = ObservedAccount("prod", 9, (BoundRevision("arn:x/app:3", True, ("v1",), ("service app",)),))
IDLE = ObservedAccount("prod", 9, (BoundRevision("arn:x/app:3", True, ("v1",)),))


@pytest.mark.parametrize(
    ("given", "subject", "status", "said"),
    [
        (reader(account=USED), "unused_in_prod", Status.BAD, "app_read is used by app:3 (service app)"),
        (reader(account=Unread("tasks", "denied")), "unused_in_prod", Status.UNKNOWN, "tasks: denied"),
        (
            reader(followed=False),
            "unused_in_prod",
            Status.BAD,
            "the current version of its secret is not app_read_b's",
        ),
        (reader(followed=Unread("secret", "denied")), "unused_in_prod", Status.UNKNOWN, "secret: denied"),
        (reader(recorded="app:2"), "way_back_of_prod", Status.BAD, "app:2 is bound to app_read"),
        (reader(recorded=Unread("service", "denied")), "way_back_of_prod", Status.UNKNOWN, "service: denied"),
        ({"soak": ("10 of 30 minutes",)}, "soaked", Status.BAD, "10 of 30 minutes"),
        ({"soak": Unread("soak", "denied")}, "soaked", Status.UNKNOWN, "soak: denied"),
        (
            {"logins": SoakLogins(AT, AT, 40, (LegacyLogin("app_read", 2, AT),))},
            "no_login",
            Status.BAD,
            "app_read 2 times, last 09:00:00 UTC",
        ),
        ({"logins": Unread("history", "M0")}, "no_login", Status.UNKNOWN, "history: M0"),
        (
            {"logins": Unread("history", "M0"), "no_history": AT, "since": AT.timestamp() + 1},
            "no_login",
            Status.UNKNOWN,
            "history: M0",
        ),
    ],
)
def test_one_open_condition_keeps_the_generation(
    given: dict[str, Any], subject: str, status: Status, said: str
) -> None:
    found = {each.subject: each for each in conditions(observed(**given))}
    assert {subject: status} == {each.subject: each.status for each in found.values() if not each.met}
    assert said in found[subject].message
    assert found[subject].remedy


@pytest.mark.parametrize(
    "given",
    [{}, reader(account=IDLE), {"logins": Unread("history", "M0"), "no_history": AT}],
    ids=["clean", "idle", "stated"],
)
def test_a_generation_goes_when_nothing_uses_it(given: dict[str, Any]) -> None:
    found = conditions(observed(**given))
    assert [
        "unused_in_staging",
        "unused_in_prod",
        "way_back_of_staging",
        "way_back_of_prod",
        "soaked",
        "no_login",
    ] == [each.subject for each in found]
    assert all(each.met for each in found)


def test_a_leaked_login_waits_for_the_reading_stacks_alone() -> None:
    found = followed(observed(**reader(followed=False), soak=("0 of 30 minutes",)))
    assert [("unused_in_staging", True), ("unused_in_prod", False)] == [
        (each.subject, each.met) for each in found
    ]


def test_a_rotation_needs_phase_bind_and_a_generation_to_leave() -> None:
    from atlas_access.base.settings import _odd_rotation

    def problems(**given: Any) -> list[str]:
        return [problem for _, problem, _ in _odd_rotation(settings(**given))]

    assert [] == problems(**MOVING)
    assert ["is at generation 1: it has none to leave (move)"] == problems(rotating="app_write")
    assert ["is set in phase retire"] == problems(**MOVING, phase=Phase.RETIRE)
    assert ["has no rotating user"] == problems(rotationStep="finish")
