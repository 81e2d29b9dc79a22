"""What `atlas-access review` says of a change: every case of the data file, and the privilege part's promise."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from atlas_access.base import Format, render
from atlas_access.manifest import Manifest, declared_privileges, load_manifest
from atlas_access.privileges import Privilege, actions_on
from atlas_access.review import BaseUnread, Declaration, of_folder, review, review_report

ROOT = Path(__file__).parents[2]
FILES = ("access.yaml", "smoke.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml", "policy/policy-config.json",
         "known-users.yaml")  # fmt: skip
CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "review_cases.yaml").read_text())


def edited(folder: Path, edits: dict[str, list[list[str]]]) -> None:
    """Make each edit; a text to replace is there exactly once, one that begins with * any number of times."""
    for name, changes in edits.items():
        text = (folder / name).read_text()
        for old, new in changes:
            assert old.startswith("*") or text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
            text = text.replace(old.removeprefix("*"), new)
        (folder / name).write_text(text)


def declaration(folder: Path) -> Declaration:
    return of_folder(folder, "access.yaml")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    for name in FILES:
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


def said(case: dict[str, Any], checkout: Path) -> list[str]:
    edited(checkout, case.get("base", {}))
    before = declaration(checkout)
    for name in case.get("base", {}):
        (checkout / name).write_bytes((ROOT / name).read_bytes())
    edited(checkout, case["edits"])
    try:
        after = declaration(checkout)
    except BaseUnread as refused:
        return [f"refused: {refused}"]
    found = review_report(review(before, after, "main"))
    assert found.status.exit_code == (1 if found.label == "WIDENS" else 0)
    return [line.strip() for line in render(found, Format.TEXT).splitlines()[:-1]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_change_is_said_in_these_sentences(case: dict[str, Any], checkout: Path) -> None:
    assert case["said"] == said(case, checkout)


def test_thirty_changes_are_held() -> None:
    issues = {
        name
        for name in ("ENG-239", "ENG-271", "ENG-272", "ENG-279")
        for case in CASES
        if name in case["name"]
    }
    assert (True, 4) == (len(CASES) >= 30, len(issues))


PLACES = ("log", "plans", "people", "undeclared", "system.js")
ROLES = st.dictionaries(
    st.sampled_from(["role_a", "role_b"]),
    st.dictionaries(
        st.sampled_from(["FIND", "INSERT", "LIST_INDEXES"]),
        st.lists(st.sampled_from(PLACES[:3]), min_size=1, unique=True),
        min_size=1,
    ),
    min_size=1,
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Any manifest, by its records: the rules of the file would refuse most of these."""
    roles = draw(ROLES)
    held = st.sampled_from(["read@shop", "readWrite@shop", *(f"{name}@admin" for name in roles)])
    users = draw(
        st.dictionaries(
            st.sampled_from("abc"), st.lists(held, min_size=1, max_size=2, unique=True), min_size=1
        )
    )
    environments = draw(st.sampled_from([("staging",), ("staging", "prod")]))
    slots = draw(
        st.dictionaries(
            st.tuples(
                st.sampled_from(environments),
                st.sampled_from(["service", "schema_task"]),
                st.sampled_from("UVW"),
            ),
            st.tuples(st.sampled_from(sorted(users)), st.sampled_from(environments)),
            max_size=4,
        )
    )
    return Manifest.model_validate(
        {
            "version": 1, "database": "shop", "environments": environments,
            "audit": {"database": "shop", "collection": "log"}, "read_across": (), "deprecated_variables": (),
            "waivers": (), "accepted_actions": (), "legacy": (),
            "collections": [
                {"name": name, "data_class": "pii", "on": environments, "may_be_absent": False, "database": "shop"}
                for name in PLACES[:3]
            ],
            "roles": [
                {"name": name, "adopted": False,
                 "grants": [{"action": action, "collections": places} for action, places in grants.items()]}
                for name, grants in roles.items()
            ],
            "users": [
                {"name": name, "secret": name, "adopted": False, "secret_adopted": False,
                 "roles": [dict(zip(("name", "database"), each.split("@"), strict=True)) for each in of]}
                for name, of in users.items()
            ],
            "bindings": [
                {"environment": place, "consumer": consumer, "variable": variable, "user": user, "cluster": cluster,
                 "address": "public", "secret_name": variable}
                for (place, consumer, variable), (user, cluster) in slots.items()
            ],
        }
    )  # fmt: skip


def effective(manifest: Manifest, user: str) -> object:
    """What a user can do, asked place by place."""
    held = declared_privileges(manifest, user)
    return manifest.environments, tuple(actions_on(held, "shop", place) for place in PLACES)


def equal(before: Manifest, after: Manifest) -> bool:
    """Whether effective privileges and bindings are equal, but for the names of users and variables."""

    def bound(manifest: Manifest, names: dict[str, str]) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {
            (each.environment, each.consumer, each.variable): (names.get(each.user, each.user), each.cluster)
            for each in manifest.bindings
        }

    def shape(manifest: Manifest, user: str) -> object:
        own = {slot: held[1] for slot, held in bound(manifest, {}).items() if held[0] == user}
        return effective(manifest, user), own

    old, new = {each.name for each in before.users}, {each.name for each in after.users}
    names: dict[str, str] = {}
    for gone in old - new:
        match = [
            each for each in new - old - set(names.values()) if shape(after, each) == shape(before, gone)
        ]
        if not match:
            return False
        names[gone] = match[0]
    if len(old) != len(new) or any(effective(before, each) != effective(after, each) for each in old & new):
        return False
    was, now = bound(before, names), bound(after, {})
    if any(was[slot] != now[slot] for slot in was.keys() & now.keys()):
        return False
    gone_slots = sorted((*slot[:2], *was[slot]) for slot in was.keys() - now.keys())
    return gone_slots == sorted((*slot[:2], *now[slot]) for slot in now.keys() - was.keys())


@given(manifests(), manifests(), st.booleans())
def test_the_privilege_part_is_empty_exactly_if_privileges_and_bindings_are_equal(
    before: Manifest, other: Manifest, near: bool
) -> None:
    after = (
        before.model_copy(update={"users": other.users} if near and covers(before, other) else {})
        if near
        else other
    )
    found = review(Declaration(before), Declaration(after), "main").privileges
    assert equal(before, after) == (found == ())


def covers(before: Manifest, other: Manifest) -> bool:
    """Whether the other's users can take the place of these: their roles are there, and every bound user is."""
    roles = {each.name for each in before.roles} | {"read", "readWrite"}
    names = {each.name for each in other.users}
    held = {role.name for each in other.users for role in each.roles}
    return held <= roles and {each.user for each in before.bindings} <= names


def test_a_grant_that_the_whole_database_includes_changes_nothing() -> None:
    text = (ROOT / "access.yaml").read_text()
    before = load_manifest(text)
    user = before.user("app_read")
    both = user.model_copy(update={"roles": (*user.roles, before.user("app_audit_writer").roles[0])})
    assert Privilege("askflorence", "", "find") in declared_privileges(before, both)
    after = before.model_copy(
        update={"users": tuple(both if each is user else each for each in before.users)}
    )
    gained = {
        each
        for change in review(Declaration(before), Declaration(after), "main").privileges
        for each in change.gained
    }
    assert {Privilege("askflorence", "agent_audit_log", "insert")} == gained


def test_a_count_that_is_none_is_left_to_where_the_file_is_used(checkout: Path) -> None:
    before = declaration(checkout)
    generations = "config:\n  atlas-access:generations: {app_write: two}\n"
    edited(checkout, {"Pulumi.staging.yaml": [["config:\n", generations]]})
    edited(checkout, {"policy/policy-config.json": [['"userCap": 5', '"userCap": "six"']]})
    assert ["law", "rotation"] == sorted(
        each.part for each in review(before, declaration(checkout), "main").changes
    )
