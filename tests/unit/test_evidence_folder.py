"""The evidence's files: redacted, digested, and ticked only where a report is good."""

import hashlib

import pytest

from atlas_access.base import Report, Status
from atlas_access.base.settings import check_settings
from atlas_access.review import Context, evidence_files
from tests.unit.manifests import ROOT, manifest

PASSWORD = "hunter22canary"
CANARY = f"mongodb+srv://app_read:{PASSWORD}@askflorence-staging.abc.mongodb.net/askflorence"


def files(status: Status) -> dict[str, str]:
    texts = {each: (ROOT / f"Pulumi.{each}.yaml").read_text() for each in ("staging", "prod")}
    context = Context(
        stack="staging", at="2026-11-30T09:14:00+00:00", clock="advanced by 3600 s (sandbox only)",
        by="arn:aws:iam::1:role/x",
        commit="abc with uncommitted changes", program="atlas-access 0.1.0", manifest_digest="m", law_digest="l",
        settings_digest="s", expectations_digests=("e",), secret_versions={"staging/mongodb/app-read-v2": "v1"},
        server_versions=("6.0.5",), not_asked=("tier", CANARY),
    )  # fmt: skip
    reports = {name: Report(name, status, "X", CANARY) for name in ("proof", "drift", "law", "status")}
    return evidence_files(
        context, reports, manifest(), check_settings("staging", texts, sandbox=True), ("h.mongodb.net",)
    )


def test_every_file_but_the_sums_is_digested_and_none_holds_a_password() -> None:
    made = files(Status.GOOD)
    listed = dict(reversed(line.split("  ")) for line in made["SHA256SUMS"].splitlines())
    assert {
        name: hashlib.sha256(text.encode()).hexdigest() for name, text in made.items() if name != "SHA256SUMS"
    } == listed
    assert [] == [name for name, text in made.items() if PASSWORD in text]


@pytest.mark.parametrize(
    ("status", "tick"), [(Status.GOOD, "[x]"), (Status.BAD, "[ ] failed:"), (Status.UNKNOWN, "[ ] unknown:")]
)
def test_a_criterion_is_ticked_only_where_its_report_is_good(status: Status, tick: str) -> None:
    ticked = files(status)["acceptance.md"].splitlines()[3:7]
    assert [f"- {tick}"] * 4 == [line[: len(tick) + 2] for line in ticked]


@pytest.mark.parametrize("name", ["proof.md", "handover.md", "acceptance.md"])
def test_every_page_says_when_by_whom_of_what_and_what_was_not_asked(name: str) -> None:
    page = files(Status.GOOD)[name].replace("\\", "")
    facts = (
        "at: 2026-11-30", "clock: advanced by 3600 s", "by: arn:aws:iam::1:role/x", "commit: abc with uncommitted",
        "manifest digest: m", "law digest: l", "expectations digests: e", "server versions: 6.0.5", "not asked: tier",
        "secret versions: staging/mongodb/app-read-v2 v1",
    )  # fmt: skip
    assert [] == [fact for fact in facts if fact not in page]
