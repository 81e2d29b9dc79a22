"""smoke.yaml: the committed file is right, and every mistake in one is reported with its line and the remedy."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from atlas_access.smoke.file import SmokeInvalid, load_smoke
from atlas_access.smoke.model import Smoke, fill

TEXT = (Path(__file__).parents[2] / "smoke.yaml").read_text()
SMOKE = load_smoke(TEXT)
FIRST = "  # mailbox: "
MAILBOX = '  mailbox: "{}" #'


def refused(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(SmokeInvalid) as caught:
        load_smoke(text)
    return tuple(str(error) for error in caught.value.errors)


def changed(before: str, after: str) -> str:
    assert before in TEXT
    return TEXT.replace(before, after, 1)


def line_of(words: str, text: str = TEXT) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if words in line)


def test_the_committed_file_holds_the_fixtures_of_the_session_contract() -> None:
    asked = (SMOKE.plans, SMOKE.household.zip, SMOKE.provider, SMOKE.drugs)
    found = (*asked, SMOKE.check.rxcui, SMOKE.check.plan)
    assert (14, "84094", "Tyler Wood", ("Synthroid", "Lipitor"), "1364441", "42261UT0060023") == found


@pytest.mark.parametrize("mailbox", ["smoke+{tag}@team.health", "{tag}@notexample.com"])
def test_the_mailbox_is_the_teams_own_or_the_simulator_of_ses(mailbox: str) -> None:
    own = load_smoke(changed(FIRST, MAILBOX.replace("{}", mailbox)))
    assert ("success+{tag}@simulator.amazonses.com", mailbox) == (
        SMOKE.waitlist.mailbox,
        own.waitlist.mailbox,
    )


def test_alarms_may_change_under_a_baseline() -> None:
    assert SMOKE.digest == load_smoke(f"{TEXT}alarms: ['askflorence-{{env}}-5xx']\n").digest


def test_the_regression_has_twelve_scenarios() -> None:
    assert 12 == len(SMOKE.calculator)


def test_a_request_is_filled_with_values_of_their_own_type() -> None:
    expected = {"zip": "84094", "household": [{"age": 35}, {"age": 30}], "income": 65000, "year": 2026}
    assert expected == SMOKE.requests.plans.filled(SMOKE.values())


def test_a_step_is_filled_with_text() -> None:
    step = next(each for each in SMOKE.journey if each.fill == "input[name=ages]")
    assert "35,30" == step.filled(SMOKE.values()).value


@pytest.mark.parametrize(
    ("before", "after", "words", "expected"),
    [
        ("plans: 14", "plans: many", "plans: many", "not a whole number"),
        ("plans: 14", "plans: 0", "plans: 0", "out of bounds"),
        ('zip: "84094", state: UT, income: 65000', 'zip: "8409", state: UT, income: 65000', "household: {", "ZIP code"),
        ("state: UT, income: 65000", "state: utah, income: 65000", "household: {", "not a state"),
        ("provider: Tyler Wood", "providr: Tyler Wood", "providr", 'unknown key "providr"'),
        ("drugs: [Synthroid, Lipitor]", "drugs: [Synthroid]", "drugs: [Synthroid]", "is missing"),
        ("path: /api/plans", "path: https://service.example.com/api", "path: https", "not a path"),
        (FIRST, MAILBOX.replace("{}", "somebody@team.health"), "mailbox", "not a mailbox with a tag"),
        (FIRST, MAILBOX.replace("{}", "smoke+{tag}@localhost"), "mailbox", "not a mailbox with a tag"),
        (FIRST, MAILBOX.replace("{}", "smoke+{tag}@example.com"), "mailbox", "takes no mail, so each sign-up would"),
        (FIRST, MAILBOX.replace("{}", "smoke+{tag}@mail.example"), "mailbox", "a domain that takes no mail"),
        ("{query: \"{provider}\"", "{query: \"{doctor}\"", "{doctor}", "no fixture fills {doctor}"),
        ('"{age_1},{age_2}"', '"{age_1},{age_3}"', "{age_3}", "no fixture fills {age_3}"),
        ("- {open: /}", "- {open: /, click: a}", "click: a}", "a step does one thing"),
        ('- {fill: "#doctor", with: "{provider}"}', '- {fill: "#doctor"}', '"#doctor"', "belong together"),
        ("name: single young adult", "name: couple", "name: couple, zip: \"84101\"", "names another scenario too"),
        ("  rounds: 2", "  rounds: 1", "rounds: 1", "out of bounds"),
        ("  rounds: 2", "  rounds: 2\n  rounds: 3", "rounds: 3", "written twice"),
        ("year: 2026\n", "year: 2026\nyear: 2025\n", "year: 2025", "written twice"),
        ("version: 1", "version: 2", "version: 2", "newer than this tool"),
        ("error_words: [", "error_wrds: [", "error_wrds", "Did you mean"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_line(before: str, after: str, words: str, expected: str) -> None:
    text = changed(before, after)
    found = [error for error in refused(text) if expected in error]
    assert [f"smoke.yaml:{line_of(words, text)}"] == [error.split("  ")[0] for error in found][:1]


def test_too_few_scenarios_are_refused() -> None:
    start = TEXT.index("  - {name: large rating area")
    text = TEXT[:start] + TEXT[TEXT.index("\n", start) + 1 :]
    assert (
        f"smoke.yaml:{line_of('calculator:')}  calculator: fewer than 12 entries. Add the missing ones.",
    ) == (refused(text))


def test_every_mistake_is_reported_at_once() -> None:
    text = changed("plans: 14", "plans: many").replace("state: FL", "state: florida")
    text = text.replace("rounds: 2", "rounds: 99")
    assert 3 == len(refused(text))


def test_the_head_says_that_nothing_was_contacted() -> None:
    with pytest.raises(SmokeInvalid) as caught:
        load_smoke("[]")
    assert "smoke.yaml has 1 error; nothing was contacted." == str(caught.value).splitlines()[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        ("[1, 2]", "not a mapping at the top"),
        ("a: [", "not valid YAML"),
        ("a: &x 1", "anchor"),
        (b"\xff\xfe", "not UTF-8"),
        ("a: !!python/object:os.system 1", "tag"),
        ("[" * 100 + "]" * 100, "nested deeper"),
    ],
)
def test_a_malformed_file_is_refused(text: str | bytes, expected: str) -> None:
    assert any(expected in error for error in refused(text))


def test_a_secret_is_never_repeated() -> None:
    text = changed(
        "provider: Tyler Wood", "provider: mongodb+srv://app:Hidden0Pass1word@cluster.example.com/x"
    )
    result = " ".join(refused(text))
    assert (True, False) == ("connection string" in result, "Hidden0Pass1word" in result)


@given(st.text(max_size=200))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.thorough
@given(st.integers(0, len(TEXT) - 1), st.integers(1, 40), st.text("{}[]:,-#\"'\n ax1", max_size=8))
def test_a_damaged_file_is_read_or_refused(place: int, length: int, middle: str) -> None:
    with suppress(SmokeInvalid):
        assert isinstance(load_smoke(TEXT[:place] + middle + TEXT[place + length :]), Smoke)


def test_limits_and_the_sign_up_leave_the_digest_alone() -> None:
    assert (
        SMOKE.digest
        == load_smoke(
            changed("rounds: 2", "rounds: 3").replace(FIRST, MAILBOX.replace("{}", "test+{tag}@team.health"))
        ).digest
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [("income: 38000", "income: 38001"), ("Tyler Wood", "Maria Ortega"), ("took_ms", "took_s")],
)
def test_what_is_asked_decides_the_digest(before: str, after: str) -> None:
    assert SMOKE.digest != load_smoke(changed(before, after)).digest


def test_filling_keeps_what_holds_no_placeholder() -> None:
    assert {"a": [1, "x", None]} == fill({"a": (1, "x", None)}, {})
