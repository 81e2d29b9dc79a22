"""What each guard takes for a mistake and what not, case by case."""

import pytest

from atlas_access.base import Format, Status, plain, render
from atlas_access.code.language import Language, language_of
from atlas_access.guards import allowances, docs_sync, no_uri_in_git
from atlas_access.guards.finding import Guard, Report, noted, report, wrong
from atlas_access.guards.no_uri_in_git import HistoryLine
from atlas_access.guards.report_guards import guards_report
from tests.unit.source_files import source

PASSWORD = "hR7" + "kq2Zt9XwLm"


def test_a_committed_password_names_the_commit_once() -> None:
    line = f"+u = mongodb://app:{PASSWORD}@c.ab1cd.mongodb.net"
    found = no_uri_in_git.check(
        [], [HistoryLine("a" * 40, "x.env", line), HistoryLine("b" * 40, "x.env", line)]
    )
    assert ["x.env@aaaaaaaaaaaa"] == [each.place.path for each in found.findings]


def test_a_finding_is_accepted_only_with_a_reason_and_for_its_own_guard() -> None:
    found = report(Guard.SILENT_FALL_BACK, 1, [wrong("a.ts", line, "x", "y.") for line in (2, 4, 6)])
    text = "\n".join(
        [
            "// atlas-access: allow silent-fall-back: both are the same user until May",
            "one",
            "// atlas-access: allow silent-fall-back:",
            "two",
            "// atlas-access: allow no-uri-in-git: another guard",
            "three",
        ]
    )
    applied = allowances.apply(found, [source("a.ts", text)])
    assert [4, 6] == [each.place.line for each in applied.findings]
    assert [noted("a.ts", 2, "accepted: x (both are the same user until May)")] == list(applied.notes)


def test_a_document_is_in_step_out_of_step_or_missing() -> None:
    found = docs_sync.check({"a": "1\n2\n", "b": "x", "c": "y"}, {"a": "1\n3\n", "b": "x", "c": None})
    assert [("a", 2), ("c", 0)] == [(each.place.path, each.place.line) for each in found.findings]


def test_found_comes_before_unknown_and_unknown_before_clean() -> None:
    clean = Report(Guard.DOCS_SYNC, 1)
    unknown = Report(Guard.DOCS_SYNC, 1, notes=(noted("a", 0, "x", blocks=True),))
    found = Report(Guard.DOCS_SYNC, 1, (wrong("a", 1, "x", "y."),))
    assert [Status.GOOD, Status.UNKNOWN, Status.BAD] == [
        guards_report([clean]).status,
        guards_report([clean, unknown]).status,
        guards_report([unknown, found]).status,
    ]


def test_every_form_carries_the_same_facts_and_markdown_is_escaped() -> None:
    reports = [
        report(Guard.SILENT_FALL_BACK, 3, [wrong("a.ts", 2, "A falls back to @everyone", "Do *this*.")])
    ]
    shown = guards_report(reports)
    found = "a.ts:2: A falls back to @everyone [silent-fall-back]"
    assert [f"  ✗ {found}", "      Remedy: Do *this*."] == render(shown, Format.TEXT).splitlines()[1:]
    page = render(shown, Format.MD).splitlines()
    assert [f"- ✗ {plain(found)}", r"  - **Remedy:** Do \*this\*."] == page[-2:]
    assert '"remedy": "Do *this*."' in render(shown, Format.JSON)


@pytest.mark.parametrize(
    ("path", "first", "expected"),
    [
        ("src/a.TS", "", Language.TYPESCRIPT),
        (".env.staging", "", Language.ENV),
        ("Dockerfile.prod", "", Language.DOCKER),
        ("bin/run", "#!/usr/bin/env bash\n", Language.SHELL),
        ("bin/run", "#!/usr/bin/env python3\n", Language.PYTHON),
        ("bin/run", "#!/usr/bin/env node\n", Language.JAVASCRIPT),
        ("notes.txt", "#!/bin/sh\n", Language.OTHER),
    ],
)
def test_the_language_is_known_by_name_or_first_line(path: str, first: str, expected: Language) -> None:
    assert expected == language_of(path, first)
