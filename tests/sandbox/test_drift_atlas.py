"""Drift against the emulator: every single kind made by hand is found, and a clean project costs three requests."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from atlas_fixture import Api, Atlas, atlas, atlas_servers, role_body, specs, user_body
from drift_fixture import (
    MANIFEST,
    add_user,
    change_role,
    change_user,
    check,
    client,
    declare,
    done,
    find,
    held,
    wanted,
)

from access.drift_finding import Answer, Drift, Kind
from access.known_users import KnownUser
from probes.atlas import AtlasUnread
from probes.atlas_sign_in import SignIn
from reports import drift as facts
from reports import drift_markdown, drift_text

__all__ = ["atlas", "atlas_servers", "specs"]

AUDIT_ACTIONS = [find("agent_audit_log"), find("agent_audit_log", "INSERT")]
SCHEMA = [
    {
        "action": action,
        "resources": [
            {"cluster": False, "db": "askflorence", "collection": name}
            for name in ("agent_waitlist_submissions", "agent_survey_responses", "hubspot_sync_log")
        ],
    }
    for action in ("FIND", "CREATE_INDEX", "LIST_INDEXES", "DROP_INDEX")
]


def known(**changes: Any) -> tuple[KnownUser, ...]:
    entry = {
        "name": "dba-on-call",
        "on": ("staging",),
        "kind": "human",
        "roles": ("read@askflorence",),
        "reason": "Looks at imported plans by hand.",
        "until": "2099-12-31",
        **changes,
    }
    return (KnownUser.model_validate(entry),)


def external(api: Api, name: str, **changes: Any) -> None:
    body = user_body(name, api.project_id, databaseName="$external", password=None, **changes)
    done(api.send("POST", "/databaseUsers", body))


def soon() -> str:
    return (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")


def temporary(api: Api) -> None:
    """A permanent user cannot be made temporary: somebody made it anew."""
    done(api.send("DELETE", "/databaseUsers/admin/app_read"))
    scopes = [{"name": "staging", "type": "CLUSTER"}]
    add_user(api, "app_read", "read@askflorence", scopes=scopes, deleteAfterDate=soon())


def wider(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [*AUDIT_ACTIONS, *more]


BY_HAND: dict[str, tuple[Kind, Callable[[Api], None], dict[str, Any]]] = {
    "a user added": (Kind.USER_UNMANAGED, lambda api: add_user(api, "intruder", "read@askflorence"), {}),
    "a managed user removed": (
        Kind.USER_MISSING,
        lambda api: done(api.send("DELETE", "/databaseUsers/admin/app_write")),
        {},
    ),
    "a legacy user removed": (
        Kind.LEGACY_MISSING,
        lambda api: done(api.send("DELETE", "/databaseUsers/admin/audit_reader")),
        {},
    ),
    "a role given to a user": (
        Kind.ROLE_HELD_EXTRA,
        lambda api: change_user(api, "app_read", roles=held("read@askflorence", "role_writer_plans@admin")),
        {},
    ),
    "a user's role replaced": (
        Kind.ROLE_HELD_MISSING,
        lambda api: change_user(api, "app_audit_writer", roles=held("role_reader_reference@admin")),
        {},
    ),
    "a built-in role given": (
        Kind.BUILTIN_ESCALATION,
        lambda api: change_user(api, "app_read", roles=held("read@askflorence", "atlasAdmin@admin")),
        {},
    ),
    "a built-in role at another database": (
        Kind.ROLE_WRONG_DATABASE,
        lambda api: change_user(api, "app_read", roles=held("read@elsewhere")),
        {},
    ),
    "a role narrowed to a collection": (
        Kind.ROLE_HELD_EXTRA,
        lambda api: change_user(
            api,
            "app_read",
            roles=[{"roleName": "read", "databaseName": "askflorence", "collectionName": "plans"}],
        ),
        {},
    ),
    "a scope added": (
        Kind.SCOPE_EXTRA,
        lambda api: change_user(
            api,
            "app_read",
            scopes=[{"name": "staging", "type": "CLUSTER"}, {"name": "lake", "type": "DATA_LAKE"}],
        ),
        {},
    ),
    "all scopes removed": (Kind.SCOPE_MISSING, lambda api: change_user(api, "app_read", scopes=[]), {}),
    "the scope moved away": (
        Kind.SCOPE_MISSING,
        lambda api: change_user(api, "app_read", scopes=[{"name": "other", "type": "CLUSTER"}]),
        {},
    ),
    "a managed user made temporary": (Kind.USER_TEMPORARY, temporary, {}),
    "an X.509 user": (
        Kind.USER_SIGN_IN,
        lambda api: external(api, "CN=ops,O=example", x509Type="CUSTOMER"),
        {},
    ),
    "an IAM user": (
        Kind.USER_SIGN_IN,
        lambda api: external(api, "arn:aws:iam::111111111111:role/ops", awsIAMType="ROLE"),
        {},
    ),
    "an LDAP user": (
        Kind.USER_SIGN_IN,
        lambda api: external(api, "cn=ops,dc=example", ldapAuthType="USER"),
        {},
    ),
    "a break-glass user without an end": (
        Kind.USER_ENDLESS,
        lambda api: add_user(api, "dba-on-call", "read@askflorence"),
        {"known": known(kind="break-glass")},
    ),
    "a known user past its end": (
        Kind.KNOWN_EXPIRED,
        lambda api: add_user(api, "dba-on-call", "read@askflorence"),
        {"known": known(until="2026-01-01")},
    ),
    "a known user's further role": (
        Kind.BUILTIN_ESCALATION,
        lambda api: add_user(api, "dba-on-call", "read@askflorence", "readWrite@askflorence"),
        {"known": known()},
    ),
    "a custom role added": (
        Kind.ROLE_UNMANAGED,
        lambda api: done(api.send("POST", "/customDBRoles/roles", role_body("role_backdoor"))),
        {},
    ),
    "an action added": (
        Kind.ACTION_EXTRA,
        lambda api: change_role(api, "role_audit_writer", wider(find("agent_audit_log", "UPDATE"))),
        {},
    ),
    "an action removed": (
        Kind.ACTION_MISSING,
        lambda api: change_role(api, "role_audit_writer", AUDIT_ACTIONS[:1]),
        {},
    ),
    "a collection added": (
        Kind.COLLECTION_EXTRA,
        lambda api: change_role(
            api,
            "role_audit_writer",
            [
                {
                    "action": "FIND",
                    "resources": [*AUDIT_ACTIONS[0]["resources"], *find("agents")["resources"]],
                },
                AUDIT_ACTIONS[1],
            ],
        ),
        {},
    ),
    "a whole database granted": (
        Kind.COLLECTION_EXTRA,
        lambda api: change_role(
            api,
            "role_audit_writer",
            [
                AUDIT_ACTIONS[0],
                {"action": "INSERT", "resources": [*AUDIT_ACTIONS[1]["resources"], *find("")["resources"]]},
            ],
        ),
        {},
    ),
    "a collection removed": (
        Kind.COLLECTION_MISSING,
        lambda api: change_role(
            api, "role_admin_schema", [{**SCHEMA[0], "resources": SCHEMA[0]["resources"][:2]}, *SCHEMA[1:]]
        ),
        {},
    ),
    "an inherited role": (
        Kind.INHERITED_EXTRA,
        lambda api: change_role(
            api,
            "role_audit_writer",
            AUDIT_ACTIONS,
            inheritedRoles=[{"role": "readWrite", "db": "askflorence"}],
        ),
        {},
    ),
    "a legacy role widened": (
        Kind.ROLE_WIDE,
        lambda api: change_role(api, "role_writer_plans", [find("", "REMOVE")]),
        {},
    ),
}
ATLAS_KINDS = {kind for kind, _, _ in BY_HAND.values()}


def kinds(drift: Drift) -> set[Kind]:
    return {finding.kind for finding in drift.findings}


def test_a_clean_project_is_clean_for_three_requests(atlas: Atlas) -> None:
    """Users, roles, cluster; no events, because nothing was found."""
    declare(atlas.staging)
    drift, asked = check(atlas.emulator.url)
    assert (Answer.CLEAN, (), ()) == (drift.answer, drift.findings, drift.unread)
    assert 3 == asked.requests


@pytest.mark.parametrize("what", BY_HAND)
def test_drift_made_by_hand_is_found(atlas: Atlas, what: str) -> None:
    kind, change, more = BY_HAND[what]
    declare(atlas.staging)
    before, _ = check(atlas.emulator.url, **more)
    change(atlas.staging)
    drift, asked = check(atlas.emulator.url, **more)
    assert () == before.findings
    assert kind in kinds(drift)
    found = next(finding for finding in drift.findings if finding.kind is kind)
    assert (True, 'api key "public-staging"') == (found.since is not None, found.by)
    assert 4 == asked.requests


def test_all_kinds_at_once_are_all_found(atlas: Atlas, capsys: pytest.CaptureFixture[str]) -> None:
    """N of N; those that exclude each other on one user or role are left to the tests above."""
    api = atlas.staging
    declare(api)
    apart = ["a user's role replaced", "an action removed", "a collection added", "a whole database granted"]
    apart += ["a role narrowed to a collection", "a built-in role at another database", "all scopes removed"]
    apart += [
        "the scope moved away",
        "a managed user made temporary",
        "a role given to a user",
        "an action added",
    ]
    apart += ["a known user past its end", "a known user's further role"]
    chosen = [what for what in BY_HAND if what not in apart]
    for what in chosen:
        BY_HAND[what][1](api)
    drift, _ = check(atlas.emulator.url, known=known(kind="break-glass"))
    missed = [what for what in chosen if BY_HAND[what][0] not in kinds(drift)]
    with capsys.disabled():
        sys.stdout.write(
            f"\ndrift: {len(chosen) - len(missed)} of {len(chosen)} at once, {len(BY_HAND)} alone\n"
        )
    assert [] == missed
    for shown in (drift_text.render(drift), drift_markdown.render(drift), facts.as_json(drift)):
        assert "intruder" in shown
        assert "Correct-horse" not in shown


def test_an_empty_project_misses_everything_and_nothing_fails(atlas: Atlas) -> None:
    drift, _ = check(atlas.emulator.url)
    assert {Kind.USER_MISSING, Kind.ROLE_MISSING, Kind.LEGACY_MISSING} == kinds(drift)
    expected = len(MANIFEST.users) + len(MANIFEST.roles) + len(MANIFEST.legacy_on("staging"))
    assert expected == len(drift.findings)


def test_a_hundred_users_and_a_hundred_roles_are_read_in_three_requests(atlas: Atlas) -> None:
    """The most that Atlas holds."""
    declare(atlas.staging)
    project = atlas.emulator.project(atlas.staging.project_id)
    atlas.control("/propagation", {"seconds": 600})
    there, roles = len(project.users), len(project.roles)
    for number in range(100 - there):
        add_user(atlas.staging, f"extra-{number}", "read@askflorence")
    for number in range(100 - roles):
        done(atlas.staging.send("POST", "/customDBRoles/roles", role_body(f"extra_{number}")))
    drift, asked = check(atlas.emulator.url)
    assert (100 - there) + (100 - roles) == len(drift.findings)
    assert 4 == asked.requests
    atlas.control("/propagation", {"seconds": 0})


@pytest.mark.parametrize(
    "sign_in",
    [
        SignIn("reader-staging", "reader-private-staging"),
        SignIn("mdb_sa_id_staging", "mdb_sa_sk_staging", True),
    ],
    ids=["read-only key", "service account"],
)
def test_both_ways_to_sign_in_work(atlas: Atlas, sign_in: SignIn) -> None:
    declare(atlas.staging)
    drift, asked = check(atlas.emulator.url, sign_in=sign_in)
    assert (Answer.CLEAN, 3) == (drift.answer, asked.requests)


def test_another_projects_key_reads_nothing(atlas: Atlas) -> None:
    declare(atlas.staging)
    drift, _ = check(atlas.emulator.url, sign_in=SignIn("reader-prod", "reader-private-prod"))
    assert (Answer.UNKNOWN, 3) == (drift.answer, len(drift.unread))
    assert all("private-prod" not in str(each) and "check the key" in each.why for each in drift.unread)


def test_a_key_that_is_not_one_is_told_without_the_key(atlas: Atlas) -> None:
    sign_in = SignIn("nobody", "sup3r-s3cret-canary")
    refused = pytest.raises(AtlasUnread, match="refused the credentials")
    with client(atlas.emulator.url, sign_in) as asked, refused as caught:
        asked.users()
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(SignIn("nobody", "sup3r-s3cret-canary"))


def test_a_cluster_that_is_not_there_is_unknown(atlas: Atlas) -> None:
    with client(atlas.emulator.url) as asked, pytest.raises(AtlasUnread, match="does not find it"):
        asked.cluster("nowhere")


def test_the_manifest_fits_the_wanted_record() -> None:
    """The public reader of staging's cluster is app_read."""
    binding = wanted().reader
    assert binding is not None
    assert ("app_read", "staging") == (binding.user, binding.cluster)
