"""Which users and roles that Atlas has are ours to import, and that everything else stops the program."""

from dataclasses import replace
from typing import Any

import pytest
from recorder import MANIFEST, Recorder, observed, program, run

from atlas_access.base import HeldRole
from atlas_access.clients import MADE_LABEL, ObservedRole, ObservedUser, Place
from components.taken_over import Existing, NotOurs, existing

AUDIT = HeldRole("role_audit_writer", "admin", "")
ROLE = ObservedRole(
    "role_audit_writer",
    frozenset(
        (grant.action, Place(MANIFEST.database_of(collection), collection))
        for grant in MANIFEST.role("role_audit_writer").grants
        for collection in grant.collections
    ),
)


def user(name: str, *roles: HeldRole, ours: bool = True) -> ObservedUser:
    return ObservedUser(
        name, "admin", frozenset(roles), frozenset(), labels=(MADE_LABEL,) if ours else (("team", "x"),)
    )


def test_a_labelled_user_and_a_role_that_is_as_declared_are_ours() -> None:
    users = (user("app_write"), user("app_audit_writer", AUDIT), user("somebody", ours=False))
    found = existing(["app_write", "role_audit_writer"], MANIFEST, users, (ROLE,))
    assert Existing(frozenset({"app_write"}), frozenset({"role_audit_writer"})) == found
    assert ["user app_write", "role role_audit_writer"] == found.named


@pytest.mark.parametrize(
    ("names", "users", "roles", "why"),
    [
        (["app_write"], [user("app_write", ours=False)], [], "the user app_write has no label made-by=atlas-access"),
        (["app_write"], [], [], "app_write: Atlas has none, so an update without takeOverNames creates it"),
        (["someone"], [user("someone")], [], "someone: access.yaml declares no such user or role, or adopts it"),
        (["app_admin_schema"], [user("app_admin_schema")], [], "app_admin_schema: access.yaml declares no such user"),
        (["role_audit_writer"], [user("x", AUDIT)], [ROLE], "role_audit_writer is held by x: take it from them"),
        (
            ["role_audit_writer"],
            [user("app_audit_writer", AUDIT, ours=False)],
            [ROLE],
            "role_audit_writer is held by app_audit_writer",
        ),
        (["role_audit_writer"], [user("app_read", AUDIT)], [ROLE], "role_audit_writer is held by app_read"),
        (
            ["role_audit_writer"],
            [],
            [replace(ROLE, grants=ROLE.grants | {("FIND", Place("", ""))})],
            "the role role_audit_writer grants other than access.yaml declares",
        ),
        (
            ["role_audit_writer"],
            [],
            [replace(ROLE, inherited=frozenset({HeldRole("read", "askflorence", "")}))],
            "the role role_audit_writer grants other than",
        ),
    ],
)  # fmt: skip
def test_what_is_not_ours_is_not_taken_over(names: Any, users: Any, roles: Any, why: str) -> None:
    with pytest.raises(NotOurs, match="takeOverNames: nothing is taken over: ") as refused:
        existing(names, MANIFEST, users, roles)
    assert why in str(refused.value)


def test_every_user_that_is_made_here_bears_our_label_and_an_adopted_one_stays_as_it_is() -> None:
    users = run(Recorder(), program(phase="bind")).of("DatabaseUser")
    label = [{"key": "made-by", "value": "atlas-access"}]
    assert {name: None if name == "app_admin_schema" else label for name in users} == {
        name: each.get("labels") for name, each in users.items()
    }


def test_what_is_taken_over_is_declared_as_ever() -> None:
    """The import is an option of the resource; nothing else of it changes."""
    taken = Existing(frozenset({"app_write"}), frozenset({"role_audit_writer"}))
    given, plain = (
        run(Recorder(), program(phase="bind", world=observed(existing=each))) for each in (taken, Existing())
    )
    for kind in ("DatabaseUser", "CustomDbRole"):
        assert given.of(kind) == plain.of(kind)
