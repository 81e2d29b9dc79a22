"""Who-can: answers from the committed manifest, by either name of an action, and questions that make no sense."""

from pathlib import Path

import pytest

from atlas_access.base import Format, render
from atlas_access.manifest.load import Manifest, load_manifest
from atlas_access.review import declared_report
from atlas_access.review.who_can import QuestionInvalid, who_can

MANIFEST = Path(__file__).parents[2] / "access.yaml"
AUDIT = "askflorence.agent_audit_log"


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest(MANIFEST.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("action", "place", "expected"),
    [
        ("UPDATE", AUDIT, {"app_write"}),
        ("INSERT", AUDIT, {"app_write", "app_audit_writer"}),
        ("FIND", AUDIT, {"app_read", "app_write", "app_audit_writer"}),
        ("DROP_INDEX", "askflorence.hubspot_sync_log", {"app_write", "app_admin_schema"}),
        ("REMOVE", "askflorence.plans", {"app_write"}),
    ],
)
def test_the_holders_are_adr_0006s(manifest: Manifest, action: str, place: str, expected: set[str]) -> None:
    assert expected == {holder.user for holder in who_can(manifest, action, place).holders}


def test_mongodbs_name_of_an_action_asks_the_same(manifest: Manifest) -> None:
    assert who_can(manifest, "DROP_INDEX", AUDIT) == who_can(manifest, "dropIndex", AUDIT)


def test_a_collection_of_one_cluster_is_answered_for_that_cluster_alone(manifest: Manifest) -> None:
    answer = who_can(manifest, "FIND", "askflorence.providers_staging")
    assert {"staging"} == {holder.environment for holder in answer.holders}


def test_the_waiver_stands_under_every_answer_about_the_audit_log(manifest: Manifest) -> None:
    lines = render(declared_report(who_can(manifest, "FIND", AUDIT)), Format.TEXT).splitlines()
    assert any("W1" in line and "app_write" in line for line in lines)


def test_the_first_line_is_the_answer(manifest: Manifest) -> None:
    report = declared_report(who_can(manifest, "update", AUDIT))
    assert "DECLARED  app_write can UPDATE on askflorence.agent_audit_log" == report.headline


def test_nobody_is_an_answer_too(manifest: Manifest) -> None:
    report = declared_report(who_can(manifest, "BYPASS_DOCUMENT_VALIDATION", AUDIT))
    assert "Nobody can BYPASS_DOCUMENT_VALIDATION on askflorence.agent_audit_log" == report.summary


@pytest.mark.parametrize(
    ("action", "place", "expected"),
    [
        ("UPDAT", AUDIT, 'action "UPDAT" is unknown. Did you mean UPDATE?'),
        (
            "UPDATE",
            "agent_audit_log",
            f'"agent_audit_log" is no collection: write DATABASE.COLLECTION. Did you mean {AUDIT}?',
        ),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_the_nearest(
    manifest: Manifest, action: str, place: str, expected: str
) -> None:
    with pytest.raises(QuestionInvalid) as refused:
        who_can(manifest, action, place)
    assert expected == str(refused.value)


@pytest.mark.parametrize(
    ("action", "place", "expected"),
    [
        ("UPDATE", "askflorence.new_thing", {"app_write"}),
        ("FIND", "askflorence.new_thing", {"app_read", "app_write"}),
        ("FIND", "askflorence.system.users", set()),
        ("FIND", "elsewhere.plans", set()),
    ],
)
def test_an_undeclared_collection_is_answered_by_what_the_roles_reach(
    manifest: Manifest, action: str, place: str, expected: set[str]
) -> None:
    answer = who_can(manifest, action, place)
    assert expected == {holder.user for holder in answer.holders}
    users = ", ".join(each for each in ("app_read", "app_write") if each in expected) or "Nobody"
    said = f"UNDECLARED  {users} can {action} on {place} (undeclared: by what the roles reach)"
    assert said == declared_report(answer).headline
