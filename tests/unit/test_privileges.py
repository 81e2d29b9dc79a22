"""What users are declared to hold, what a server lists, and how a difference reads."""

import pytest

from atlas_access.manifest.load import Manifest, load_manifest
from atlas_access.manifest.privileges import declared_privileges, tolerated_privileges, users_who_can
from atlas_access.manifest.waivers import Conflict, conflicts
from atlas_access.privileges.builtin_roles import (
    SUPPORTED_MAJORS,
    UnknownBuiltinRole,
    UnknownServerVersion,
    is_documented,
    major_of,
)
from atlas_access.privileges.model import (
    Privilege,
    Scope,
    actions_on,
    builtin_privileges,
    excess_sentence,
    missing_sentence,
    patch_privileges,
    sentences_of,
    server_privileges,
)
from tests.unit.manifests import edited, manifest


@pytest.fixture(scope="module")
def loaded() -> Manifest:
    return manifest()


def test_the_audit_writer_holds_exactly_two_privileges(loaded):
    expected = {Privilege("askflorence", "agent_audit_log", action) for action in ("find", "insert")}
    assert expected == declared_privileges(loaded, "app_audit_writer")


def test_the_schema_admin_holds_four_actions_on_three_collections(loaded):
    held = declared_privileges(loaded, "app_admin_schema")
    assert 12 == len(held)
    assert {"find", "createIndex", "listIndexes", "dropIndex"} == {privilege.action for privilege in held}


@pytest.mark.parametrize(("major", "read", "read_write"), [("6.0", 9, 19), ("7.0", 10, 22), ("8.0", 10, 24)])
def test_the_built_in_roles_grow_with_the_server(major, read, read_write):
    assert (2 * read, 2 * read_write) == (
        len(builtin_privileges("read", "askflorence", major)),
        len(builtin_privileges("readWrite", "askflorence", major)),
    )


@pytest.mark.parametrize("major", ["6.0", "7.0", "8.0"])
def test_a_reader_can_change_nothing(major):
    changing = {"insert", "update", "remove", "dropCollection", "createIndex", "collMod", "convertToCapped"}
    held = builtin_privileges("read", "d", major) | patch_privileges("read", "d", major)
    assert set() == changing & {privilege.action for privilege in held}


@pytest.mark.parametrize("major", ["6.0", "7.0", "8.0"])
def test_read_write_contains_read_but_no_coll_mod_and_no_drop_database(major):
    held = builtin_privileges("readWrite", "d", major)
    assert builtin_privileges("read", "d", major) <= held
    assert set() == {"collMod", "dropDatabase", "grantRole"} & {privilege.action for privilege in held}


@pytest.mark.parametrize("role", ["read", "readWrite", "dbAdmin", "dbOwner", "userAdmin"])
def test_what_patch_releases_add_is_kept_apart(role):
    for major in ("6.0", "7.0", "8.0"):
        both = builtin_privileges(role, "d", major) & patch_privileges(role, "d", major)
        assert set() == {privilege for privilege in both if role != "dbOwner"}


def test_a_custom_role_tolerates_nothing(loaded):
    assert frozenset() == tolerated_privileges(loaded, "app_audit_writer", "6.0")
    assert Privilege("askflorence", "", "listSearchIndexes") in tolerated_privileges(
        loaded, "app_read", "6.0"
    )


@pytest.mark.parametrize("version", ["4.4", "5.0", "x", ""])
def test_an_unknown_server_version_has_no_documented_set(version):
    with pytest.raises(UnknownServerVersion):
        major_of(version)


def test_a_patch_release_counts_as_its_major():
    assert ("6.0", "8.0", "8.2") == tuple(map(major_of, ("6.0.5", "8.0.12-rc1", "8.2.3")))


@pytest.mark.parametrize(
    ("version", "known"), [("9.0.1", True), ("9.1.0", False), ("10.0.0", False), ("6.1.0", False)]
)
def test_a_newer_server_is_compared_with_the_newest_set_before_it_and_not_documented(version, known):
    assert known is is_documented(version)
    assert (major_of(version) in SUPPORTED_MAJORS, major_of("10.0.0")) == (True, SUPPORTED_MAJORS[-1])


def test_a_role_without_a_documented_set_is_refused():
    with pytest.raises(UnknownBuiltinRole, match="clusterAdmin"):
        builtin_privileges("clusterAdmin", "admin", "6.0")


def test_the_servers_list_is_read_whatever_its_resources_are():
    listed = [
        {"resource": {"db": "askflorence", "collection": "plans"}, "actions": ["find", "insert"]},
        {"resource": {"cluster": True}, "actions": ["shutdown"]},
        {"resource": {"anyResource": True}, "actions": ["anyAction"]},
        {"resource": {"db": "askflorence", "system_buckets": ""}, "actions": ["find"]},
        {"resource": {"newKind": 1}, "actions": ["find"]},
    ]
    expected = {
        Privilege("askflorence", "plans", "find"),
        Privilege("askflorence", "plans", "insert"),
        Privilege("", "", "shutdown", Scope.CLUSTER),
        Privilege("", "", "anyAction", Scope.ANY_RESOURCE),
        Privilege("askflorence", "", "find", Scope.SYSTEM_BUCKETS),
        Privilege("", "newKind", "find", Scope.UNKNOWN),
    }
    assert expected == server_privileges(listed)


@pytest.mark.parametrize("item", [{}, {"resource": {"cluster": True}}, {"resource": 1, "actions": []}])
def test_a_list_of_another_shape_is_refused(item):
    with pytest.raises(ValueError, match="without a resource or actions"):
        server_privileges([item])


@pytest.mark.parametrize(
    ("privilege", "covered"),
    [
        (Privilege("a", "c", "find"), True),
        (Privilege("a", "", "find"), True),
        (Privilege("", "", "find"), True),
        (Privilege("", "c", "find"), True),
        (Privilege("", "", "find", Scope.ANY_RESOURCE), True),
        (Privilege("a", "d", "find"), False),
        (Privilege("b", "", "find"), False),
        (Privilege("", "", "find", Scope.CLUSTER), False),
        (Privilege("a", "", "find", Scope.SYSTEM_BUCKETS), False),
    ],
)
def test_a_privilege_covers_what_its_resource_reaches(privilege, covered):
    assert covered == privilege.covers("a", "c")


def test_database_wide_privileges_reach_no_system_collection_and_no_local_database():
    assert not Privilege("a", "", "find").covers("a", "system.users")
    assert not Privilege("", "", "find").covers("local", "oplog.rs")
    assert {"find"} == actions_on({Privilege("a", "system.js", "find")}, "a", "system.js")


def test_a_grant_reads_as_a_sentence(loaded):
    first, *others = sentences_of("app_audit_writer", declared_privileges(loaded, "app_audit_writer"))
    assert ("app_audit_writer may FIND, INSERT on askflorence.agent_audit_log", []) == (first, others)
    first = sentences_of("app_write", declared_privileges(loaded, "app_write"))[0]
    assert first.startswith("app_write may FIND, INSERT, UPDATE, REMOVE, CHANGE_STREAM, ")
    assert first.endswith(" on every collection of askflorence")


def test_an_excess_says_what_it_permits_and_where():
    assert "x can erase documents: REMOVE on askflorence.plans" == excess_sentence(
        "x", Privilege("askflorence", "plans", "remove")
    )
    assert "x can shut the server down: shutdown on the cluster" == excess_sentence(
        "x", Privilege("", "", "shutdown", Scope.CLUSTER)
    )
    assert "x cannot read documents: FIND on every collection of askflorence is missing" == missing_sentence(
        "x", Privilege("askflorence", "", "find")
    )


def test_who_can_change_the_audit_log_is_answered_from_the_manifest(loaded):
    assert ["app_write"] == [
        user.name for user in users_who_can(loaded, "UPDATE", "askflorence", "agent_audit_log")
    ]


def test_the_two_known_findings_of_app_write(loaded):
    assert [
        Conflict(
            "app_write",
            "audit",
            (
                "INSERT",
                "UPDATE",
                "REMOVE",
                "DROP_COLLECTION",
                "CONVERT_TO_CAPPED",
                "RENAME_COLLECTION_SAME_DB",
                "CREATE_INDEX",
            ),
            "on askflorence.agent_audit_log",
        ),
        Conflict(
            "app_write",
            "database",
            ("CREATE_INDEX", "DROP_INDEX"),
            "on askflorence, from the running service",
        ),
    ] == list(conflicts(loaded))


def test_the_waivers_of_the_manifest_are_exactly_its_findings(loaded):
    assert {(f.user, f.on, f.permits) for f in conflicts(loaded)} == {
        (waiver.user, waiver.on, waiver.permits) for waiver in loaded.waivers
    }


def test_a_role_on_a_log_of_its_own_reaches_that_database():
    text = edited(
        ("audit:\n  database: askflorence\n", "audit:\n  database: log\n"),
        ("    role: read@askflorence\n    secret", "    role: [read@askflorence, read@log]\n    secret"),
    )
    start, end = text.index("  W1:"), text.index("  W2:")
    separate = load_manifest(text[:start] + text[end:])
    expected = {Privilege("log", "agent_audit_log", action) for action in ("find", "insert")}
    assert expected == declared_privileges(separate, "app_audit_writer")
    assert "find" in actions_on(declared_privileges(separate, "app_read"), "log", "agent_audit_log")
