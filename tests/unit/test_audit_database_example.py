"""The example with the audit log in a database of its own: complete, and a waiver that nobody needs is an error."""

from pathlib import Path

import pytest

from atlas_access.manifest.load import Manifest, ManifestInvalid, load_manifest
from atlas_access.manifest.waivers import AUDIT, conflicts
from atlas_access.review.who_can import who_can

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "examples/audit-database/access.yaml").read_text(encoding="utf-8")
LOG = "askflorence_audit.agent_audit_log"


@pytest.fixture(scope="module")
def example() -> Manifest:
    return load_manifest(TEXT)


def test_nobody_breaks_the_audit_log_and_no_waiver_speaks_of_it(example: Manifest) -> None:
    assert [] == [finding for finding in conflicts(example) if finding.on == AUDIT]
    assert ["W2"] == [waiver.id for waiver in example.waivers]


def test_a_waiver_that_is_no_longer_needed_is_an_error() -> None:
    ours = (ROOT / "access.yaml").read_text(encoding="utf-8")
    waiver = ours[ours.index("  W1:") : ours.index("  W2:")]
    with pytest.raises(ManifestInvalid) as refused:
        load_manifest(TEXT.replace("  W2:", f"{waiver}  W2:"))
    assert ["no longer needed: app_write can do nothing of this on the audit"] == [
        error.problem for error in refused.value.errors
    ]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("FIND", {"app_read", "app_audit_writer"}),
        ("INSERT", {"app_audit_writer"}),
        ("UPDATE", set()),
        ("REMOVE", set()),
    ],
)
def test_the_manifest_answers_who_can(example: Manifest, action: str, expected: set[str]) -> None:
    assert expected == {holder.user for holder in who_can(example, action, LOG).holders}


def test_a_log_that_nobody_reads_is_an_error() -> None:
    with pytest.raises(ManifestInvalid, match="no user can inspect askflorence_audit"):
        load_manifest(TEXT.replace("[read@askflorence, read@askflorence_audit]", "read@askflorence"))


def test_all_else_is_as_in_the_manifest_that_we_run(example: Manifest) -> None:
    ours = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
    same = ("environments", "read_across", "roles", "bindings", "deprecated_variables", "legacy")
    assert [getattr(ours, name) for name in same] == [getattr(example, name) for name in same]
