"""The renderers: the same facts in every format, the answer first, and no foreign text that changes the form."""

import html
import json
import re
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt

from atlas_access.base.finding import Finding, Location, Status, worst
from atlas_access.base.formats import Format, render
from atlas_access.base.report import Report, Rule, Section, Table


def report(word: str = "harmless", status: Status = Status.BAD) -> Report:
    found = Finding(
        status,
        f"subject {word}",
        f"message {word}",
        f"do {word}",
        Location("access.yaml", 31),
        "one-role",
        (("Since", f"May {word}"), ("", f"plain {word}")),
    )
    table = Table(("user", "login"), ((f"cell {word}", "never"),))
    section = Section(f"Users {word}", (f"line {word}",), table, (found,))
    texts = ("DRIFT", f"staging: 1 finding {word}")
    return Report("drift staging", status, *texts, (section,), f"then {word}", (f"note {word}",))


def shape(form: Format, text: str) -> object:
    """What of a rendering a foreign text must not change."""
    match form:
        case Format.MD:
            text = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
            return re.findall(r"</?(?:[a-z0-9]+|!--)", text)
        case Format.HTML:
            return re.findall(r"<[^>]*>", text)
        case Format.JUNIT:
            return [each.tag for each in Xml.fromstring(text).iter()]  # noqa: S314 - our own text
        case Format.JSON | Format.SARIF:
            return len(json.loads(text))
        case Format.TEXT:
            return [text.count("\n"), all(line.isprintable() for line in text.splitlines())]


@pytest.mark.parametrize("form", Format)
@given(word=st.text(max_size=60))
def test_no_foreign_text_changes_the_form(form: Format, word: str) -> None:
    assert shape(form, render(report(), form)) == shape(form, render(report(f"x{word}x"), form))


@pytest.mark.parametrize("form", Format)
def test_every_format_carries_each_fact_of_a_finding_and_what_else_is_reported(form: Format) -> None:
    text = html.unescape(render(report(), form)).replace("\\", "")
    facts = (
        "message harmless",
        "do harmless",
        "May harmless",
        "access.yaml",
        "31",
        "one-role",
        "subject harmless",
        *("line harmless", "cell harmless", "note harmless", "then harmless"),
    )
    assert [] == [fact for fact in facts if fact not in text]


def test_a_reader_sees_a_shared_remedy_once_and_machines_see_every_finding_with_its_remedy() -> None:
    findings = tuple(Finding(Status.BAD, f"user{number}", "differs", "restore it") for number in range(5))
    many = Report("drift", Status.BAD, "DRIFT", "5 findings", (Section(findings=findings, shown=2),))
    assert [
        "  Remedy: restore it",
        "  and 3 more: --format json lists them",
        "  ✗ user0: differs",
        "  ✗ user1: differs",
    ] == render(many, Format.TEXT).splitlines()[1:]
    machine = (Format.JSON, Format.SARIF, Format.JUNIT)
    assert dict.fromkeys(machine, 5) == {form: render(many, form).count("restore it") for form in machine}


def test_the_answer_is_the_first_line() -> None:
    first = {form: render(report(), form).splitlines()[0] for form in (Format.TEXT, Format.MD)}
    assert {
        Format.TEXT: "DRIFT  staging: 1 finding harmless",
        Format.MD: "## DRIFT staging\\: 1 finding harmless",
    } == first


def test_text_names_place_subject_message_and_code_then_the_facts() -> None:
    lines = render(report(), Format.TEXT).splitlines()
    assert [
        "  ✗ access.yaml:31: subject harmless: message harmless [one-role]",
        "      Since: May harmless",
        "      plain harmless",
        "      Remedy: do harmless",
    ] == lines[6:10]


@pytest.mark.parametrize("form", [Format.MD, Format.HTML])
def test_no_connection_string_is_shown(form: Format) -> None:
    assert "Canary" not in render(report("mongodb://app:Sup3rCanaryS3cret@host.example/db"), form)


@pytest.mark.parametrize(
    ("status", "code", "counts"), [(Status.GOOD, 0, "00"), (Status.BAD, 1, "10"), (Status.UNKNOWN, 3, "01")]
)
def test_a_status_has_its_exit_code_and_its_kind_in_junit(status: Status, code: int, counts: str) -> None:
    (suite,) = Xml.fromstring(render(report(status=status), Format.JUNIT))  # noqa: S314 - our own text
    assert (code, counts) == (status.exit_code, f"{suite.get('failures')}{suite.get('errors')}")


def test_junit_has_a_case_for_each_rule_that_holds() -> None:
    clean = Report(
        "policy staging", Status.GOOD, "CLEAN", "2 rules hold", rules=(Rule("a", "A"), Rule("b", "B"))
    )
    (suite,) = Xml.fromstring(render(clean, Format.JUNIT))  # noqa: S314 - our own text
    assert (["a", "b"], "0") == ([case.get("name") for case in suite.iter("testcase")], suite.get("failures"))


def test_a_report_without_findings_is_one_case_with_its_status() -> None:
    unknown = Report("drift staging", Status.UNKNOWN, "UNKNOWN", "nothing was read")
    (suite,) = Xml.fromstring(render(unknown, Format.JUNIT))  # noqa: S314 - our own text
    assert ("1", "1") == (suite.get("tests"), suite.get("errors"))


@pytest.mark.parametrize(
    ("statuses", "complete", "expected"),
    [
        ([], True, Status.UNKNOWN),
        ([Status.GOOD], True, Status.GOOD),
        ([Status.GOOD], False, Status.UNKNOWN),
        ([Status.GOOD, Status.UNKNOWN], True, Status.UNKNOWN),
        ([Status.UNKNOWN, Status.BAD], False, Status.BAD),
    ],
)
def test_only_what_is_checked_whole_is_good(statuses: list[Status], complete: bool, expected: Status) -> None:
    assert expected is worst(statuses, complete=complete)
