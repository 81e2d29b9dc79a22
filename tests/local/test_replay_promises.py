"""Replays: what each promises, how what happened is held to it, and how a product's own words are read."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from atlas_access.base import Finding, Status
from atlas_access.base.yaml_errors import ManifestError
from atlas_access.cli.main import run
from atlas_access.review.deployment import Deployment, Operation
from sandbox.replays import incidents, report
from sandbox.replays.incidents import REPLAYS, chosen
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay, Result
from sandbox.replays.play import Played
from sandbox.replays.product import caught_by, refused_by_manifest
from sandbox.replays.stage import Stage
from sandbox.world import SandboxError

ROOT = Path(__file__).parents[2]
RULE = Catch(Catcher.POLICY, "bindings-by-law")
OTHER = Catch(Catcher.GUARD, "silent-fall-back")
SEEN = Claim("POST /api/providers/covered", "HTTP 500", "HTTP 500")
RUNS = Claim("runs afterwards", "app:7 2/2", "app:7 2/2")


def nothing(_: Stage) -> Iterable[Claim]:
    return ()


def uncaught(_: Stage) -> Iterable[Caught]:
    return ()


REPLAY = Replay("made-up", "a made-up mistake", nothing, uncaught, (RULE,), "nothing is rolled out")
PASSED = Result(REPLAY, (SEEN,), (Caught(RULE, "it is not bound", 3.2),), (RUNS,), 9.5)


def deployment(failure: str = "", **changes: object) -> Deployment:
    given: dict[str, object] = {
        "stack": "staging",
        "phase": "bind",
        "operation": Operation.UP,
        "engine": "embedded",
        "seconds": 7.5,
        "steps": (),
        "proofs": (),
        "swap": None,
        "failure": failure,
    }
    return Deployment(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("replay", REPLAYS, ids=lambda each: each.name)
def test_every_replay_names_what_catches_it_and_nothing_twice(replay: Replay) -> None:
    assert replay.expected
    assert len(set(replay.expected)) == len(replay.expected)
    assert Catcher.OTHER not in {each.catcher for each in replay.expected}


def test_every_catcher_but_what_is_none_catches_some_replay() -> None:
    used = {each.catcher for replay in REPLAYS for each in replay.expected}
    assert set(Catcher) - {Catcher.OTHER} == used


def test_a_replay_is_chosen_by_its_name_and_all_by_none() -> None:
    assert (("eng-272",), REPLAYS) == (tuple(each.name for each in chosen("eng-272")), chosen(""))


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SandboxError, match=r"no replay 'eng-1': there are eng-271"):
        chosen("eng-1")


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("access.yaml", incidents.NARROWED),
        ("access.yaml", incidents.UNREFERENCED),
        ("access.yaml", incidents.MISSED),
    ],
)
def test_a_text_that_a_replay_changes_occurs_once_in_its_file(file: str, changes: dict[str, str]) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert [1] * len(changes) == [text.count(old) for old in changes]


def test_shown_and_caught_by_exactly_what_is_expected_passes() -> None:
    assert ((), True) == (PASSED.differences, PASSED.passed)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"shown": ()}, "nothing was shown to happen"),
        (
            {"shown": (replace(SEEN, actual="HTTP 200"),)},
            "not shown: POST /api/providers/covered: HTTP 200, expected HTTP 500",
        ),
        ({"caught": ()}, "not caught by policy at preview: bindings-by-law"),
        (
            {"caught": (*PASSED.caught, Caught(OTHER, "not covered", 1.0))},
            "caught by guard in CI: silent-fall-back, which was not expected",
        ),
        ({"afterwards": ()}, "it is unknown what runs afterwards"),
        (
            {"afterwards": (replace(RUNS, actual="app:8 2/2"),)},
            "afterwards: runs afterwards: app:8 2/2, expected app:7 2/2",
        ),
        ({"broke": "SandboxError: gone"}, "could not be played to its end: SandboxError: gone"),
    ],
)
def test_a_difference_from_the_promise_fails_the_replay(change: dict[str, object], difference: str) -> None:
    result = replace(PASSED, **change)  # type: ignore[arg-type]
    assert ((difference,), False) == (result.differences, result.passed)


def test_a_play_is_0_only_when_every_replay_passed() -> None:
    failed = replace(PASSED, caught=())
    codes = [Played(results, 1.0).exit_code for results in ((PASSED,), (PASSED, failed), ())]
    assert [0, 1, 1] == codes


def test_violations_are_named_by_rule_each_once_and_advice_is_no_catch() -> None:
    broken = Finding(Status.BAD, "app", "it is not bound", code=RULE.name)
    advice = Finding(Status.GOOD, "app_write", "known", code="audit-log-append-only")
    found = caught_by(deployment("policies were broken", policies=(broken, advice, broken)))
    assert (Caught(RULE, "it is not bound", 7.5),) == found


def test_a_failure_of_another_kind_is_no_catch() -> None:
    (found,) = caught_by(deployment("AttributeError: no such thing"))
    assert Catch(Catcher.OTHER, "AttributeError: no such thing") == found.catch


def test_a_deployment_that_went_well_was_caught_by_nothing() -> None:
    assert () == caught_by(deployment())


def test_a_manifests_refusal_is_named_by_its_first_error_about_a_binding() -> None:
    role = ManifestError("access.yaml", 59, "users.app_admin_schema.role", "may too much", "Narrow it.")
    binding = ManifestError("access.yaml", 78, "bindings.service.X", "is bound to service", "Move it.")
    names = [refused_by_manifest(errors, 0.1).catch.name for errors in ((role, binding), (role,))]
    assert ["bindings.service.X", "users.app_admin_schema.role"] == names


def test_a_replay_report_begins_with_the_verdict() -> None:
    assert [
        "CAUGHT  made-up: a made-up mistake (9.5 s)",
        "  without our gates   ● POST /api/providers/covered: HTTP 500",
        "  with them           CAUGHT by policy at preview: bindings-by-law (3.2 s): it is not bound",
        "                      gates not asked: nothing is rolled out",
        "  afterwards          ● runs afterwards: app:7 2/2",
    ] == list(report.lines(PASSED))


def test_a_replay_that_differs_says_in_what() -> None:
    shown = list(report.lines(replace(PASSED, caught=())))
    assert (True, "  DIFFERS  not caught by policy at preview: bindings-by-law") == (
        shown[0].startswith("NOT AS PROMISED  made-up"),
        shown[-1],
    )


def test_json_carries_the_same_facts() -> None:
    result = report.document((PASSED, replace(PASSED, caught=())), 20.0)
    first, second = result["replays"]
    assert (False, [True, False], ["not caught by policy at preview: bindings-by-law"]) == (
        result["passed"],
        [first["passed"], second["passed"]],
        second["differences"],
    )
    assert ("bindings-by-law", "it is not bound", "HTTP 500") == (
        first["caught"][0]["name"],
        first["caught"][0]["said"],
        first["shown"][0]["actual"],
    )


def test_the_listing_names_every_replay_and_what_catches_it() -> None:
    listed = json.loads(report.promises_json(REPLAYS))
    assert [(each.name, len(each.expected)) for each in REPLAYS] == [
        (each["name"], len(each["expected"])) for each in listed
    ]
    assert all(each.name in report.promises(REPLAYS) for each in REPLAYS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "sandbox replay needs to know which. Name one, or give --all; --list names them all.\n"),
        (
            ["eng-271", "--all"],
            "sandbox replay needs to know which. Name one, or give --all; --list names them all.\n",
        ),
        (["eng-1"], f"there is no replay 'eng-1': there are {', '.join(each.name for each in REPLAYS)}\n"),
    ],
)
def test_a_wrong_wish_is_refused_before_a_sandbox_is_started(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["sandbox", "replay", *arguments, "--dir", str(tmp_path / "sandbox")])
    assert (2, message, False) == (code, capsys.readouterr().err, (tmp_path / "sandbox").exists())


def test_the_command_lists_the_replays(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["sandbox", "replay", "--list", "--format", "json"])
    assert [each.name for each in REPLAYS] == [each["name"] for each in json.loads(capsys.readouterr().out)]
