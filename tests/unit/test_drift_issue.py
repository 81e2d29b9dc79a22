"""The issue's text: foreign names stay names, secrets stay out, and the size stays below GitHub's."""

import html
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt

from atlas_access.base import Format, render
from atlas_access.base.github_text import BREAK, plain
from atlas_access.base.observed import Unread
from atlas_access.drift import drift_report
from atlas_access.drift.finding import Difference, Drift, Kind
from atlas_access.drift.issue import LARGEST_BODY, body, decide, title

NOW = datetime(2026, 5, 12, tzinfo=UTC)
EVIL = [
    "@everyone",
    "@org/team",
    "#1",
    "owner/repo#12",
    "GH-7",
    "**bold**",
    "`code`",
    "[x](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "<!-- atlas-access:drift stack=prod fingerprint=0000000000000000 ids= -->",
    "www.evil.example",
    "https://evil.example",
    "user@example.com",
    "line\nbreak\n# heading",
    "\u202eevil\u2066",
    "a|b",
    "$x$",
    "1. one",
    "&lt;b&gt;",
    "\x1b[31mred",
]


def finding(name: str, kind: Kind = Kind.ROLE_UNMANAGED) -> Difference:
    return Difference(
        kind, name, name, f"the role {name} is not in access.yaml", f"Remove {name}", permits=name, by=name
    )


def drift(*findings: Difference, unread: tuple[Unread, ...] = ()) -> Drift:
    return Drift("staging", NOW, findings, unread)


def shown(markdown: str) -> tuple[set[str], str]:
    """The tags and the text that a Markdown renderer makes."""
    made = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)
    return set(re.findall(r"</?([a-z0-9]+|!--)", made)), html.unescape(re.sub(r"<[^>]*>", "", made))


@pytest.mark.parametrize("name", EVIL)
def test_a_foreign_name_is_shown_letter_by_letter_and_does_nothing(name: str) -> None:
    tags, text = shown(plain(name))
    assert {"p"} == tags
    assert not re.search(r"@\w|#\d|GH-\d|://|www\.", text)
    if name.isprintable():
        assert " ".join(name.split()) == text.replace(BREAK, "").strip()


@given(st.text(max_size=80))
def test_no_text_becomes_markup_or_a_mention(name: str) -> None:
    tags, text = shown("- " + plain(name))
    assert {"ul", "li"} == tags
    assert not re.search(r"@\w|#\d|://", text)


@pytest.mark.parametrize("name", EVIL)
def test_the_body_and_the_page_hold_no_markup_of_a_name(name: str) -> None:
    usual, _ = shown(body(drift(finding("harmless"))))
    tags, text = shown(body(drift(finding(name))))
    assert usual == tags
    assert not re.search(r"@\w|#\d|://", text)
    assert render(drift_report(drift(finding(name))), Format.MD)


def test_the_title_holds_no_foreign_text() -> None:
    text = title(drift(finding("@everyone")))
    assert "P1 drift on staging: 1 finding (role unmanaged)" == text


def test_a_body_of_a_thousand_findings_keeps_below_githubs_limit_and_says_so() -> None:
    text = body(
        drift(*(finding("x" * 2000 + str(number)) for number in range(1000)), unread=(Unread("a", "b"),))
    )
    assert len(text) <= LARGEST_BODY
    assert re.search(r"And \d+ findings more", text)
    assert "could not be read" in text


def test_a_thousand_unread_parts_do_not_push_the_findings_out() -> None:
    text = body(drift(finding("app"), unread=tuple(Unread("x" * 900, str(n)) for n in range(1000))))
    assert len(text) <= LARGEST_BODY
    assert "the role app" in text


def test_no_connection_string_enters_an_issue() -> None:
    text = body(drift(finding("mongodb://app:Sup3rS3cretCanary@host.example/db")))
    assert "Canary" not in text


def test_a_name_cannot_fake_another_stacks_marker() -> None:
    """The marker counts in the first line only."""
    opened = decide(drift(finding(EVIL[10])), ())
    assert 1 == len(opened)
    assert opened[0].body.startswith("<!-- atlas-access:drift stack=staging fingerprint=")
    assert 1 == opened[0].body.count("<!--")
