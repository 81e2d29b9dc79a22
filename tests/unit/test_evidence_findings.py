"""What the server's own list, and the audit log itself, say against a proof."""

from functools import cache
from pathlib import Path

import pytest

from atlas_access.manifest.load import load_manifest
from atlas_access.manifest.model import Retention
from atlas_access.privileges.identity import Identity
from atlas_access.privileges.model import Privilege, Scope
from atlas_access.proof.compare import compare
from atlas_access.proof.evidence import Finding, Subject
from atlas_access.proof.expectations import Expectations, Place, expectations
from atlas_access.proof.judge_audit_log import AuditLog, Expiry, check_audit_log
from atlas_access.proof.verdict import Verdict

ROOT = Path(__file__).resolve().parents[2]
AUDIT = Place("askflorence", "agent_audit_log")
LOG = AuditLog(kind="collection", capped=False, uuid="a" * 32, expiries=())
RETENTION = Retention(field="at", days=2190)
SIX_YEARS = 189_216_000
VERSIONS = ("6.0.5", "7.0.14", "8.0.4")


@cache
def _expected(user: str) -> Expectations:
    return expectations(load_manifest((ROOT / "access.yaml").read_text()), user, "staging")


def _identity(user: str, version: str, *more: Privilege, without: str = "") -> Identity:
    expected = _expected(user)
    held = frozenset(each for each in expected.declared(version) if each.action != without)
    return Identity(user, "admin", frozenset(expected.roles), held | frozenset(more))


def found(user: str, *more: Privilege, without: str = "") -> list[Finding]:
    """What the comparison says of a user that holds more or less than declared."""
    return list(compare(_expected(user), _identity(user, "6.0.5", *more, without=without), "6.0.5"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("user", ["app_read", "app_write", "app_audit_writer", "app_admin_schema"])
def test_exactly_what_is_declared_has_no_finding(user: str, version: str) -> None:
    assert () == compare(_expected(user), _identity(user, version), version)


def test_an_excess_says_what_it_permits() -> None:
    (finding,) = found("app_audit_writer", Privilege("askflorence", "agent_audit_log", "update"))
    assert "app_audit_writer can change documents: UPDATE on askflorence.agent_audit_log" == finding.text


def test_an_excess_that_reaches_the_audit_log_comes_first() -> None:
    more = (Privilege("askflorence", "admins", "find"), Privilege("askflorence", "agent_audit_log", "remove"))
    first, _ = found("app_audit_writer", *more)
    assert "agent_audit_log" in first.text


def test_a_missing_privilege_is_a_finding() -> None:
    (finding,) = found("app_audit_writer", without="insert")
    assert (Subject.MISSING, Verdict.REFUTED) == (finding.subject, finding.verdict)


def test_a_resource_of_an_unknown_kind_is_an_excess() -> None:
    (finding,) = found("app_audit_writer", Privilege("", "novel", "find", Scope.UNKNOWN))
    assert Subject.EXCESS is finding.subject


def test_a_role_too_many_and_a_role_too_few_are_findings() -> None:
    identity = _identity("app_read", "6.0.5")
    other = Identity("app_read", "admin", frozenset({"root@admin"}), identity.privileges)
    texts = [each.text for each in compare(_expected("app_read"), other, "6.0.5")]
    assert [
        "app_read holds the role root@admin besides read@askflorence",
        "app_read lacks the role read@askflorence",
    ] == texts


def test_somebody_else_is_a_finding() -> None:
    identity = _identity("app_read", "6.0.5")
    other = Identity("app_write", "admin", identity.roles, identity.privileges)
    (finding,) = compare(_expected("app_read"), other, "6.0.5")
    assert "logged in as app_write@admin, not as app_read@admin" == finding.text


def test_a_server_major_that_is_not_documented_is_inconclusive_for_a_built_in_role() -> None:
    (finding,) = compare(_expected("app_read"), _identity("app_read", "6.0.5"), "99.0.0")
    assert Verdict.INCONCLUSIVE is finding.verdict


def test_a_great_excess_is_cut_and_counted() -> None:
    more = [Privilege("askflorence", f"c{number}", "find") for number in range(50)]
    assert "app_audit_writer: 30 more privileges in excess" == found("app_audit_writer", *more)[-1].text


def test_a_sound_audit_log_has_no_finding() -> None:
    assert () == check_audit_log(AUDIT, LOG, "", "")
    assert () == check_audit_log(AUDIT, LOG, LOG.uuid, "")


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (AuditLog("view", False, "", None), "is a view"),
        (AuditLog("collection", True, "", ()), "is capped"),
        (AuditLog("collection", False, "", (Expiry("at_1", ("at",), 60),)), "TTL index at_1"),
    ],
)
def test_an_audit_log_that_could_lose_rows_is_refuted(log: AuditLog, words: str) -> None:
    (finding,) = check_audit_log(AUDIT, log, "", "")
    assert (Verdict.REFUTED, True) == (finding.verdict, words in finding.text)


def test_an_audit_log_with_another_uuid_is_refuted_unless_accepted() -> None:
    (finding,) = check_audit_log(AUDIT, LOG, "b" * 32, "")
    assert Verdict.REFUTED is finding.verdict
    assert f"state audit-log-remade in atlas-access:acknowledged, with value {LOG.uuid}" in finding.text
    assert () == check_audit_log(AUDIT, LOG, "b" * 32, LOG.uuid)


def test_the_retention_that_is_declared_is_no_finding() -> None:
    kept = AuditLog("collection", False, "", (Expiry("at_1", ("at",), SIX_YEARS),))
    assert () == check_audit_log(AUDIT, kept, "", "", RETENTION)


@pytest.mark.parametrize(
    "expiry",
    [
        Expiry("at_1", ("at",), SIX_YEARS - 1),
        Expiry("seen_1", ("seen",), SIX_YEARS),
        Expiry("at_1_by_1", ("at", "by"), SIX_YEARS),
        Expiry("at_1", ("at",), 0),
    ],
    ids=["sooner", "by another field", "by two fields", "at once"],
)
def test_another_expiry_than_the_declared_one_is_refuted(expiry: Expiry) -> None:
    (finding,) = check_audit_log(AUDIT, AuditLog("collection", False, "", (expiry,)), "", "", RETENTION)
    assert Verdict.REFUTED is finding.verdict
    assert f"after {expiry.seconds} s, not after {SIX_YEARS} s by at" in finding.text


@pytest.mark.parametrize(
    ("log", "text"),
    [(AuditLog("collection", False, "", None), "could not be listed"), (None, "")],
    ids=["no index list", "no audit log"],
)
def test_an_audit_log_that_could_not_be_read_is_inconclusive(log: AuditLog | None, text: str) -> None:
    (finding,) = check_audit_log(AUDIT, log, "", "")
    assert (Verdict.INCONCLUSIVE, True) == (finding.verdict, text in finding.text)


def test_the_declared_retention_reaches_the_proof() -> None:
    text = (ROOT / "access.yaml").read_text()
    kept = "  collection: agent_audit_log\n  retention: {field: at, days: 2190}\n"
    declared = load_manifest(text.replace("  collection: agent_audit_log\n", kept, 1))
    derived = expectations(declared, "app_read", "staging")
    assert RETENTION == derived.retention == Expectations.from_json(derived.to_json()).retention
    assert derived.digest != _expected("app_read").digest
