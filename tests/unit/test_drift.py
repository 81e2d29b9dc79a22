"""The comparison: every kind of drift is found, nothing else is, and what could not be read is never called clean."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from drift_cases import (
    MANIFEST,
    NOW,
    arn,
    check,
    clean,
    known,
    only,
    role,
    user,
    with_binding,
    with_secret,
    with_user,
)
from drift_kinds import (
    AUDIT,
    CASES,
    LOG,
    collections,
    family_manifest,
    granting,
    with_view,
    without_user,
)
from hypothesis import given, strategies as st

from atlas_access.base import Status
from atlas_access.base.acknowledged import Acknowledgement
from atlas_access.base.observed import HeldRole, Unread
from atlas_access.base.settings import Phase
from atlas_access.clients import AtlasUnread
from atlas_access.clients.model import ObservedCredentials, ObservedEvent, Place
from atlas_access.drift.compare import attributed
from atlas_access.drift.finding import Kind
from atlas_access.drift.model import NotReached, Observed
from atlas_access.drift.observe import read_end
from atlas_access.review import who_can


def test_an_environment_as_declared_is_clean() -> None:
    drift = check(clean())
    assert ((), Status.GOOD) == (drift.findings, drift.status)


@pytest.mark.parametrize("phase", [Phase.PROVISION, Phase.BIND])
def test_what_is_bound_ahead_of_its_phase_is_clean(phase: Phase) -> None:
    assert () == check(clean(), phase=phase).findings


@pytest.mark.parametrize(("kind", "change", "more"), CASES, ids=[case[0].name for case in CASES])
def test_every_kind_of_drift_is_found_alone(
    kind: Kind, change: Callable[[Observed], Observed], more: dict[str, Any]
) -> None:
    found = only(check(change(clean()), **more))
    assert kind == found.kind
    assert all((found.what, found.where, found.remedy, found.subject))


def test_the_cases_cover_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """LEGACY_PRESENT comes in crowds: it has a test of its own."""
    covered = {case[0] for case in CASES} | {Kind.LEGACY_PRESENT}
    with capsys.disabled():
        sys.stdout.write(f"\ndrift: {len(covered)} of {len(Kind)} kinds found by the comparison\n")
    assert set(Kind) == covered


def test_legacy_users_roles_and_secrets_are_drift_once_retired() -> None:
    drift = check(clean(), phase=Phase.RETIRE)
    legacy = MANIFEST.legacy_on("staging")
    assert {Kind.LEGACY_PRESENT} == {finding.kind for finding in drift.findings}
    names = {finding.subject for finding in drift.findings}
    assert {user.name for user in legacy} | {user.role.name for user in legacy} <= names
    assert "staging/mongodb/plans-write" in names


def test_the_gate_may_ask_for_legacy_access_to_be_expected_still() -> None:
    assert () == check(clean(), phase=Phase.RETIRE, retired=False).findings


def test_a_secret_in_its_recovery_window_is_what_retirement_leaves() -> None:
    drift = check(with_secret(clean(), "staging/mongodb/plans-write", deleted_at=NOW), phase=Phase.RETIRE)
    assert "staging/mongodb/plans-write" not in {finding.subject for finding in drift.findings}


def test_a_legacy_user_may_not_gain_a_role() -> None:
    grown = user("app_read_staging", "role_reader_reference@admin", "readWrite@askflorence")
    found = only(check(with_user(clean(), grown)))
    assert (Kind.BUILTIN_ESCALATION, False) == (found.kind, found.heals)


@pytest.mark.parametrize("until", ["2026-12-31", NOW.date().isoformat()], ids=["later", "the last day"])
def test_a_known_user_that_keeps_to_its_entry_is_no_finding_until_the_end_of_its_last_day(until: str) -> None:
    observed = with_user(clean(), user("dba-on-call", "read@askflorence"))
    assert () == check(observed, known=(known(until=until),)).findings


def test_a_known_users_further_role_is_an_escalation() -> None:
    observed = with_user(clean(), user("dba-on-call", "read@askflorence", "atlasAdmin@admin"))
    assert Kind.BUILTIN_ESCALATION == only(check(observed, known=(known(),))).kind


def test_a_namesake_that_signs_in_elsewhere_is_not_the_managed_user() -> None:
    """$external users may bear any name."""
    observed = clean()
    namesake = replace(user("app_read", "root@admin", sign_in="X.509"), auth_database="$external")
    found = only(check(replace(observed, users=(*observed.users, namesake))))
    assert (Kind.USER_SIGN_IN, "do anything") == (found.kind, found.permits)


def test_a_role_narrowed_to_one_collection_is_both_extra_and_missing() -> None:
    narrowed = replace(user("app_read"), roles=frozenset({HeldRole("read", "askflorence", "plans")}))
    kinds = {finding.kind for finding in check(with_user(clean(), narrowed)).findings}
    assert {Kind.ROLE_HELD_EXTRA, Kind.ROLE_HELD_MISSING} == kinds


def test_a_database_wide_grant_says_what_it_permits() -> None:
    found = only(check(granting(clean(), ("REMOVE", Place("askflorence", "")))))
    assert "erase documents on every collection of askflorence" == found.permits


def test_every_finding_completes_the_sentence_it_permits_to() -> None:
    """And does not begin a sentence of its own."""
    lines = [only(check(change(clean()), **more)).permits for _, change, more in CASES]
    assert any(lines)
    assert [] == [each for each in lines if each.startswith("app_")]


def test_what_permits_more_comes_first() -> None:
    observed = without_user(with_user(clean(), user("intruder", "atlasAdmin@admin")), "app_write")
    assert [Kind.USER_UNMANAGED, Kind.USER_MISSING] == [each.kind for each in check(observed).findings]


@pytest.mark.parametrize("part", ["users", "roles", "cluster", "key", "collections"])
def test_a_part_that_could_not_be_read_makes_the_answer_unknown(part: str) -> None:
    drift = check(replace(clean(), **{part: Unread(part, "no answer in time")}))
    assert (Status.UNKNOWN, (), 1) == (drift.status, drift.findings, len(drift.unread))


def test_drift_is_certain_although_another_part_is_unread() -> None:
    observed = replace(without_user(clean(), "app_write"), roles=Unread("roles", "503"))
    assert Status.BAD == check(observed).status


def test_a_cluster_that_access_yaml_gives_no_reader_is_reported_and_is_no_fault() -> None:
    drift = check(replace(clean(), collections=NotReached("collections", "no binding may list them")))
    assert (Status.GOOD, 1) == (drift.status, len(drift.not_reached))


@pytest.mark.parametrize("version", ["5.0.9", ""])
def test_privileges_on_a_server_without_a_documented_set_are_unknown(version: str) -> None:
    """Whatever they are: nothing says what the reader should be let do there."""
    drift = check(collections(clean(), version=version, privileges=frozenset()))
    assert (Status.UNKNOWN, ()) == (drift.status, drift.findings)
    assert "no documented privileges" in drift.unread[0].why


def test_a_collection_is_found_on_a_server_without_a_documented_set_as_well() -> None:
    observed = collections(clean(), version="5.0.9", names=clean().collections.names | {"scratch"})  # type: ignore[union-attr]
    assert Kind.COLLECTION_UNDECLARED == only(check(observed)).kind


def test_a_revision_that_is_not_deployed_is_judged_by_its_bindings_alone() -> None:
    observed = clean()
    newer = replace(observed.tasks[0], revision="askflorence-staging-app:9", running=False, bound=())
    assert () == check(replace(observed, tasks=(*observed.tasks, newer))).findings
    legacy = with_binding(clean(), "MONGODB_URI", arn("staging/mongodb/app-read")).tasks[0]
    found = only(check(replace(observed, tasks=(*observed.tasks, replace(legacy, running=False)))))
    assert (Kind.BINDING_LEGACY, False) == (found.kind, found.heals)


def test_in_provision_the_legacy_bindings_are_expected() -> None:
    observed = with_binding(clean(), "MONGODB_URI", arn("staging/mongodb/app-read"))
    assert () == check(observed, phase=Phase.PROVISION).findings


def test_a_deprecated_variable_may_alias_its_successors_secret_until_retirement() -> None:
    observed = with_binding(clean(), "MONGODB_URI_PLANS_WRITE", f"{arn('staging/mongodb/app-write-v2')}:::v1")
    assert () == check(observed).findings
    kinds = {each.kind for each in check(observed, phase=Phase.RETIRE).findings}
    assert Kind.BINDING_LEGACY in kinds


def event(kind: str, name: str, hours: int, by: str = 'api key "ops-laptop"') -> ObservedEvent:
    at = NOW - timedelta(hours=hours)
    is_user = kind.startswith("MONGODB_USER")
    text = f"{'user' if is_user else 'role'} {name} changed"
    return ObservedEvent(kind, at, name if is_user else "", text, by)


def test_a_finding_is_attributed_to_the_newest_event_that_names_its_subject() -> None:
    events = [
        event("MONGODB_ROLE_ADDED", AUDIT, 90, "first"),
        event("MONGODB_ROLE_UPDATED", "role_audit_writer_2", 1, "another role"),
        event("MONGODB_ROLE_UPDATED", AUDIT, 5),
        event("MONGODB_USER_UPDATED", AUDIT, 2, "a user of that name"),
    ]
    found = only(attributed(check(granting(clean(), ("UPDATE", LOG))), events))
    assert (NOW - timedelta(hours=5), 'api key "ops-laptop"') == (found.since, found.by)


def test_what_is_gone_is_attributed_to_its_deletion() -> None:
    events = [event("MONGODB_USER_DELETED", "app_write", 3), event("MONGODB_USER_ADDED", "app_write", 1)]
    found = only(attributed(check(without_user(clean(), "app_write")), events))
    assert NOW - timedelta(hours=3) == found.since


def test_events_that_could_not_be_read_take_nothing_from_the_findings() -> None:
    drift = attributed(check(without_user(clean(), "app_write")), Unread("events", "503"))
    assert (1, 1) == (len(drift.findings), len(drift.unread))


def test_the_fingerprint_does_not_change_with_time_actor_or_order() -> None:
    observed = with_user(without_user(clean(), "app_write"), user("intruder", "read@askflorence"))
    first = check(observed)
    later = replace(
        attributed(first, [event("MONGODB_USER_ADDED", "intruder", 1)]), at=NOW + timedelta(days=9)
    )
    assert first.fingerprint == replace(later, findings=later.findings[::-1]).fingerprint
    assert first.fingerprint != check(without_user(clean(), "app_write")).fingerprint


@pytest.mark.thorough
@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(range(len(CASES) - 1)), max_size=4))
def test_the_order_of_an_answer_changes_nothing(random: Any, chosen: list[int]) -> None:
    observed, more = clean(), {}
    for index in dict.fromkeys(chosen):
        _, change, extra = CASES[index]
        try:
            observed = change(observed)
        except StopIteration:  # a case before took away what this one changes
            continue
        more |= extra
    users, roles, secrets = list(observed.users), list(observed.roles), list(observed.secrets)
    for part in (users, roles, secrets):
        random.shuffle(part)
    shuffled = replace(observed, users=tuple(users), roles=tuple(roles), secrets=tuple(secrets))
    assert check(observed, **more).findings == check(shuffled, **more).findings


_names = st.text(min_size=1, max_size=30)


@pytest.mark.thorough
@given(_names, st.lists(st.tuples(_names, _names), max_size=4), st.sampled_from(["password", "X.509"]))
def test_no_unknown_user_ever_passes(name: str, roles: list[tuple[str, str]], sign_in: str) -> None:
    observed = clean()
    roles = frozenset(HeldRole(*held) for held in roles)
    stranger = replace(user(name, sign_in=sign_in), roles=roles, auth_database="$external")
    found = only(check(replace(observed, users=(*observed.users, stranger))))
    assert name == found.subject


@pytest.mark.thorough
@given(
    st.sets(
        st.tuples(
            st.sampled_from(["UPDATE", "REMOVE", "FIND", "DROP_COLLECTION"]),
            st.sampled_from(
                [
                    LOG,
                    Place("askflorence", ""),
                    Place("", ""),
                    Place("", "", cluster=True),
                    Place("other", "x"),
                ]
            ),
        ),
        min_size=1,
    )
)
def test_every_grant_beyond_the_declared_ones_is_reported(grants: set[tuple[str, Place]]) -> None:
    extra = grants - role(AUDIT, clean()).grants
    findings = check(granting(clean(), *grants)).findings
    assert bool(extra) == bool(findings)
    result = "\n".join(finding.what for finding in findings)
    assert all(action in result and str(place) in result for action, place in extra)


@pytest.mark.parametrize(
    ("answer", "stated", "expected"),
    [
        (ObservedCredentials(frozenset(), NOW), None, NOW),
        (
            AtlasUnread("the service account", "it may not be read"),
            "2027-01-31",
            datetime(2027, 1, 31, tzinfo=UTC),
        ),
    ],
)
def test_the_end_of_a_service_accounts_secret_is_as_atlas_says_else_as_stated(
    answer: Any, stated: str | None, expected: datetime
) -> None:
    assert expected == read_end(wanted_with(stated), Answering(answer))


def test_an_end_that_nobody_knows_is_a_note_and_no_fault() -> None:
    unread = AtlasUnread("the service account", "it may not be read")
    found = check(replace(clean(), ends=read_end(wanted_with(None), Answering(unread))))
    assert (Status.GOOD, "acknowledge service-account-ends") == (found.status, found.not_reached[0].why[-32:])


class Answering:
    """Atlas's answer about its own credentials."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def credentials(self) -> ObservedCredentials:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def wanted_with(stated: str | None) -> Any:
    given = {"what": "service-account-ends", "by": "platform", "at": NOW, "why": "asked", "value": stated}
    entry = Acknowledgement.model_validate(given) if stated else None
    return SimpleNamespace(settings=SimpleNamespace(acknowledged=lambda _: entry))


WAITLIST = "agent_waitlist_submissions"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (with_view(WAITLIST, "npn"), []),
        (with_view(WAITLIST), ["is filtered by no value"]),
        (with_view(WAITLIST, "email"), ["is filtered by email"]),
        (with_view("agent_sessions", "npn"), ["shows agent_sessions"]),
        (lambda state: collections(state, names=state.collections.names | {"agent_7"}), ["is no view"]),
        (lambda state: collections(state, names=state.collections.names | {"agent_"}), [""]),
    ],
)
def test_a_view_of_a_family_shows_its_source_by_its_field_alone(
    change: Callable[[Observed], Observed], says: list[str]
) -> None:
    assert says == [each.detail for each in check(change(clean()), manifest=family_manifest()).findings]


def test_who_can_knows_a_view_of_a_family() -> None:
    found = [
        who_can(family_manifest(), "FIND", f"askflorence.{name}").declared for name in ("agent_7", "agents_7")
    ]
    assert [True, False] == found
