"""Replays in a real sandbox: the quickest of them, one held to a wrong promise, and nothing left behind."""

from dataclasses import replace
from pathlib import Path

from sandbox.replays import incidents, report
from sandbox.replays.model import Catch, Catcher, Result
from sandbox.replays.play import Audience, play

ROOT = Path(__file__).parents[2]
NOBODY = Catch(Catcher.GUARD, "silent-fall-back")


def test_incidents_happen_and_are_caught_and_a_wrong_promise_is_reported(tmp_path: Path) -> None:
    """One sandbox for both; the second replay is asked for a catcher that it does not have."""
    directory = tmp_path / "sandbox"
    ended: list[Result] = []
    wrong = replace(incidents.ENG_272, expected=(NOBODY,))

    played = play(
        directory, ROOT, (incidents.ENG_271, wrong), Audience(say=lambda _: None, ended=ended.append)
    )

    first, second = played.results
    assert () == first.differences
    assert (
        f"not caught by {NOBODY}",
        f"caught by {Catch(Catcher.ENV_CHECK, 'local-file')}, which was not expected",
    ) == second.differences
    assert (1, [first, second]) == (played.exit_code, ended)
    assert {True} == {each.held for each in (*first.shown, *second.shown, *second.afterwards)}
    text = "\n".join(line for each in ended for line in report.lines(each))
    assert ("mongodb://" in text, directory.exists()) == (False, False)
