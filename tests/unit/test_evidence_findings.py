"""What the server's own list, and the audit log itself, say against a proof."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from atlas_access.base import Status
from atlas_access.manifest.load import load_manifest
from atlas_access.manifest.records import Retention
from atlas_access.privileges.identity import Identity
from atlas_access.privileges.model import Privilege, Scope
from atlas_access.proof.compare import compare
from atlas_access.proof.evidence import Subject
from atlas_access.proof.expectations import Expectations, expectations
from atlas_access.proof.judge_audit_log import AuditLog, Expiry, check_audit_log

ROOT = Path(__file__).resolve().parents[2]
LOG = AuditLog(kind="collection", capped=False, uuid="a" * 32, expiries=())
RETENTION = Retention(field="at", days=2190)
SIX_YEARS = 189_216_000
VERSIONS = ("6.0.5", "7.0.14", "8.0.4", "8.2.1", "9.0.2")


@cache
def _expected(user: str) -> Expectations:
    return expectations(load_manifest((ROOT / "access.yaml").read_text()), user, "staging")


KEEPING = replace(_expected("app_read"), retention=RETENTION)


def _identity(user: str, version: str, *more: Privilege, without: str = "") -> Identity:
    expected = _expected(user)
    held = frozenset(each for each in expected.declared(version) if each.action != without)
    return Identity(user, "admin", frozenset(expected.roles), held | frozenset(more))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("user", ["app_read", "app_write", "app_audit_writer", "app_admin_schema"])
def test_exactly_what_is_declared_has_no_finding(user: str, version: str) -> None:
    assert () == compare(_expected(user), _identity(user, version), version)


def test_an_excess_says_what_it_permits() -> None:
    update = Privilege("askflorence", "agent_audit_log", "update")
    (finding,) = compare(
        _expected("app_audit_writer"), _identity("app_audit_writer", "6.0.5", update), "6.0.5"
    )
    assert "app_audit_writer can change documents: UPDATE on askflorence.agent_audit_log" == finding.message


def test_an_excess_that_reaches_the_audit_log_comes_first() -> None:
    more = (Privilege("askflorence", "admins", "find"), Privilege("askflorence", "agent_audit_log", "remove"))
    first, _ = compare(_expected("app_audit_writer"), _identity("app_audit_writer", "6.0.5", *more), "6.0.5")
    assert "agent_audit_log" in first.message


def test_a_missing_privilege_is_a_finding() -> None:
    identity = _identity("app_audit_writer", "6.0.5", without="insert")
    (finding,) = compare(_expected("app_audit_writer"), identity, "6.0.5")
    assert (Subject.MISSING, Status.BAD) == (finding.code, finding.status)


def test_a_resource_of_an_unknown_kind_is_an_excess() -> None:
    odd = Privilege("", "novel", "find", Scope.UNKNOWN)
    (finding,) = compare(_expected("app_audit_writer"), _identity("app_audit_writer", "6.0.5", odd), "6.0.5")
    assert Subject.EXCESS == finding.code


def test_a_role_too_many_and_a_role_too_few_are_findings() -> None:
    identity = _identity("app_read", "6.0.5")
    other = Identity("app_read", "admin", frozenset({"root@admin"}), identity.privileges)
    texts = [each.message for each in compare(_expected("app_read"), other, "6.0.5")]
    assert [
        "app_read holds the role root@admin; declared: read@askflorence",
        "app_read lacks the role read@askflorence",
    ] == texts


def test_somebody_else_is_a_finding() -> None:
    identity = _identity("app_read", "6.0.5")
    other = Identity("app_write", "admin", identity.roles, identity.privileges)
    (finding,) = compare(_expected("app_read"), other, "6.0.5")
    assert "logged in as app_write@admin, not as app_read@admin" == finding.message


@pytest.mark.parametrize(
    ("user", "action", "status"),
    [
        ("app_read", "indexStats", Status.GOOD),
        ("app_read", "update", Status.BAD),
        ("app_read", "readFaster", Status.UNKNOWN),
        ("app_write", "collMod", Status.BAD),
        ("app_audit_writer", "indexStats", Status.BAD),
        ("app_audit_writer", "readFaster", Status.UNKNOWN),
    ],
)
def test_what_a_newer_server_adds_is_judged_by_its_kind(user: str, action: str, status: Status) -> None:
    expected = _expected(user)
    held = _identity(user, "10.0.0", Privilege("askflorence", "", action))
    shown, *against = compare(expected, held, "10.0.0")[:: -1 if status is Status.UNKNOWN else 1]
    assert (Status.GOOD, status is Status.GOOD) == (shown.status, not against)
    assert "MongoDB 10.0.0 is newer than the documented sets" in shown.message
    assert {status} == {each.status for each in against or [shown]}


@pytest.mark.parametrize("version", ["6.0.5", "10.0.0"])
def test_an_action_that_no_table_names_is_inconclusive_until_a_decision_accepts_it(version: str) -> None:
    held = _identity("app_audit_writer", version, Privilege("askflorence", "agent_audit_log", "readFaster"))
    doubtful, *_ = compare(_expected("app_audit_writer"), held, version)
    assert (Status.UNKNOWN, Subject.EXCESS) == (doubtful.status, doubtful.code)
    assert "list readFaster under accepted_actions in access.yaml" in doubtful.remedy
    accepting = replace(_expected("app_audit_writer"), accepted_actions=("readFaster",))
    assert {Status.GOOD} == {each.status for each in compare(accepting, held, version)}


def test_no_decision_accepts_an_action_that_is_known() -> None:
    accepting = replace(_expected("app_audit_writer"), accepted_actions=("update",))
    held = _identity("app_audit_writer", "6.0.5", Privilege("askflorence", "agent_audit_log", "update"))
    assert [Status.BAD] == [each.status for each in compare(accepting, held, "6.0.5")]


@pytest.mark.parametrize("user", ["app_read", "app_audit_writer"])
def test_a_server_that_is_older_than_every_documented_set_is_inconclusive(user: str) -> None:
    (finding,) = compare(_expected(user), _identity(user, "6.0.5"), "5.0.9")
    assert (Status.UNKNOWN, True) == (finding.status, "Update the cluster" in finding.remedy)


def test_a_great_excess_is_cut_and_counted() -> None:
    more = [Privilege("askflorence", f"c{number}", "find") for number in range(50)]
    findings = compare(_expected("app_audit_writer"), _identity("app_audit_writer", "6.0.5", *more), "6.0.5")
    assert "app_audit_writer: 30 more privileges in excess" == findings[-1].message


def test_a_sound_audit_log_has_no_finding() -> None:
    assert () == check_audit_log(_expected("app_read"), LOG, "", "")
    assert () == check_audit_log(_expected("app_read"), LOG, LOG.uuid, "")


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (AuditLog("view", False, "", None), "is a view"),
        (AuditLog("collection", True, "", ()), "is capped"),
        (AuditLog("collection", False, "", (Expiry("at_1", ("at",), 60),)), "TTL index at_1"),
        (replace(LOG, unique=("who_1",)), "unique index who_1"),
        (replace(LOG, refuses=True), "a validator that refuses rows"),
        (replace(LOG, collation=True), "a collation"),
    ],
)
def test_an_audit_log_that_could_lose_or_refuse_rows_is_refuted(log: AuditLog, words: str) -> None:
    (finding,) = check_audit_log(_expected("app_read"), log, "", "")
    assert (Status.BAD, True) == (finding.status, words in finding.message)


def test_an_audit_log_with_another_uuid_is_refuted_unless_accepted() -> None:
    (finding,) = check_audit_log(_expected("app_read"), LOG, "b" * 32, "")
    assert Status.BAD is finding.status
    assert f"state audit-log-remade in atlas-access:acknowledged, with value {LOG.uuid}" in finding.remedy
    assert () == check_audit_log(_expected("app_read"), LOG, "b" * 32, LOG.uuid)


def test_the_retention_that_is_declared_is_no_finding() -> None:
    kept = AuditLog("collection", False, "", (Expiry("at_1", ("at",), SIX_YEARS),))
    assert () == check_audit_log(KEEPING, kept, "", "")


@pytest.mark.parametrize(
    "expiry",
    [
        Expiry("at_1", ("at",), SIX_YEARS - 1),
        Expiry("seen_1", ("observed",), SIX_YEARS),
        Expiry("at_1_by_1", ("at", "by"), SIX_YEARS),
        Expiry("at_1", ("at",), 0),
    ],
    ids=["sooner", "by another field", "by two fields", "at once"],
)
def test_another_expiry_than_the_declared_one_is_refuted(expiry: Expiry) -> None:
    (finding,) = check_audit_log(KEEPING, AuditLog("collection", False, "", (expiry,)), "", "")
    assert Status.BAD is finding.status
    assert f"after {expiry.seconds} s, not after {SIX_YEARS} s by at" in finding.message


def test_indexes_that_nobody_could_list_are_no_proof_that_there_is_no_ttl() -> None:
    (finding,) = check_audit_log(_expected("app_read"), AuditLog("collection", False, "", None), "", "")
    assert (Status.UNKNOWN, True) == (finding.status, "could not be listed" in finding.message)


def test_the_declared_retention_reaches_the_proof() -> None:
    text = (ROOT / "access.yaml").read_text()
    kept = "  collection: agent_audit_log\n  retention: {field: at, days: 2190}\n"
    declared = load_manifest(text.replace("  collection: agent_audit_log\n", kept, 1))
    derived = expectations(declared, "app_read", "staging")
    assert RETENTION == derived.retention == Expectations.from_json(derived.to_json()).retention
    assert derived.digest != _expected("app_read").digest


def test_a_validator_that_was_decided_is_no_finding() -> None:
    decided = replace(_expected("app_read"), validator=True)
    assert () == check_audit_log(decided, replace(LOG, refuses=True), "", "")


def test_a_missing_audit_log_is_inconclusive() -> None:
    (finding,) = check_audit_log(_expected("app_read"), None, "", "")
    assert Status.UNKNOWN is finding.status
