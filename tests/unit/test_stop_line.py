"""The stop-the-line issue: one a stack while rollouts fail, closed by a green one, and never more than plain words."""

from dataclasses import replace
from datetime import UTC, datetime

from atlas_access.clients.issues import Issue, Write
from atlas_access.rollout.incident_issue import LABEL, Outcome, body, decide

AT = datetime(2026, 5, 12, 9, 20, 41, tzinfo=UTC)
FAILED = Outcome("staging", "ROLLED BACK  staging: gate 3\n  app:7 runs again, 2/2", AT)
GREEN = replace(FAILED, text="app:8 runs, green", green=True)


def opened(outcome: Outcome = FAILED, number: int = 1) -> Issue:
    (change,) = decide(outcome, ())
    return Issue(number, change.title, change.body, open=True)


def test_a_failed_rollout_opens_an_issue_with_what_it_said() -> None:
    (change,) = decide(FAILED, ())
    assert (Write.OPEN, "Stop the line: a change of staging failed", (LABEL, "P1")) == (
        change.write,
        change.title,
        change.labels,
    )
    assert "- app\\:7 runs again, 2/2" in change.body


def test_the_next_failure_updates_that_issue() -> None:
    again = replace(FAILED, text="ROLLED BACK  staging: gate 5")
    (change,) = decide(again, (opened(),))
    assert (Write.UPDATE, 1, True) == (change.write, change.number, "gate 5" in change.body)


def test_what_the_issue_already_says_is_not_written_again() -> None:
    result = opened()
    assert () == decide(FAILED, (replace(result, body=result.body.replace("\n", "\r\n")),))


def test_a_green_rollout_closes_it_and_another_stacks_stays() -> None:
    other = opened(replace(FAILED, stack="prod"), 2)
    (change,) = decide(GREEN, (opened(), other))
    assert (Write.CLOSE, 1) == (change.write, change.number)


def test_a_closed_issue_is_history_and_a_new_stop_a_new_one() -> None:
    (change,) = decide(FAILED, (replace(opened(), open=False),))
    assert Write.OPEN == change.write


def test_a_second_open_issue_of_the_stack_is_closed() -> None:
    writes = [(each.write, each.number) for each in decide(FAILED, (opened(), opened(number=2)))]
    assert [(Write.CLOSE, 2)] == writes


def test_foreign_text_is_neither_a_secret_nor_markup_nor_a_mention() -> None:
    said = "gate 3: @everyone <script> [x](http://example.com) mongodb://app:hunter2hunter2@db.example.com/a"
    text = body(replace(FAILED, text=said))
    assert [] == [each for each in ("hunter2hunter2", "@everyone", "<script>", "](http") if each in text]


def test_a_long_end_is_cut_and_says_so() -> None:
    text = body(replace(FAILED, text="\n".join(f"line {number}" for number in range(1, 100))))
    assert "- line 40\n- And 59 more lines." in text
