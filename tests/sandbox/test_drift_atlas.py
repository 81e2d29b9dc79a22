"""Drift against the emulator: every single kind made by hand is found, and a clean project costs three requests."""

import sys
from dataclasses import replace

import pytest
from atlas_fixture import Atlas, role_body
from drift_by_hand import BY_HAND, known
from drift_fixture import MANIFEST, add_user, check, client, declare, done, wanted

from atlas_access.base import Format, Status, render
from atlas_access.clients.atlas_sign_in import SignIn
from atlas_access.clients.errors import AtlasUnread
from atlas_access.drift import drift_report
from atlas_access.drift.finding import Drift, Kind


def kinds(drift: Drift) -> set[Kind]:
    return {finding.kind for finding in drift.findings}


def test_a_clean_project_is_clean_for_three_requests(atlas: Atlas) -> None:
    """Users, roles, cluster; no events, because nothing was found."""
    declare(atlas.staging)
    drift, asked = check(atlas.emulator.url)
    assert (Status.GOOD, (), ()) == (drift.status, drift.findings, drift.unread)
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
    apart += ["the scope moved away", "a managed user made temporary"]
    apart += ["a role given to a user", "an action added"]
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
    for shown in (render(drift_report(drift), form) for form in Format):
        assert "intruder" in shown
        assert "Correct-horse" not in shown


def test_a_private_endpoint_that_is_gone_is_found(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prod reads staging's cluster by it, and only by it (ADR 0004); Atlas writes no event that says who."""
    declare(atlas.staging)
    project = atlas.emulator.project(atlas.staging.project_id)
    monkeypatch.setattr(project, "spec", replace(project.spec, private_address=None))
    drift, _ = check(atlas.emulator.url)
    assert [(Kind.ENDPOINT_MISSING, None)] == [(each.kind, each.by or None) for each in drift.findings]


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
    ("sign_in", "expires"),
    [
        (SignIn("reader-staging", "reader-private-staging"), False),
        (SignIn("mdb_sa_id_staging", "mdb_sa_sk_staging", True), True),
    ],
    ids=["read-only key", "service account"],
)
def test_both_ways_to_sign_in_work(atlas: Atlas, sign_in: SignIn, expires: bool) -> None:
    declare(atlas.staging)
    drift, asked = check(atlas.emulator.url, sign_in=sign_in)
    assert (Status.GOOD, 3) == (drift.status, asked.requests)
    with client(atlas.emulator.url, sign_in) as asking:
        found = asking.credentials()
    assert (expires, {atlas.staging.project_id}) == (found.ends is not None, {of for _, of in found.roles})


def test_another_projects_key_reads_nothing(atlas: Atlas) -> None:
    declare(atlas.staging)
    drift, _ = check(atlas.emulator.url, sign_in=SignIn("reader-prod", "reader-private-prod"))
    assert (Status.UNKNOWN, 3) == (drift.status, len(drift.unread))
    assert all("private-prod" not in str(each) and "check the key" in each.why for each in drift.unread)


def test_a_key_that_is_not_one_is_reported_without_it(atlas: Atlas) -> None:
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
    binding = wanted().reader
    assert binding is not None
    assert ("app_read", "staging") == (binding.user, binding.cluster)
