"""Formats a replay's result for a terminal and as JSON. Pure."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.replays.model import Caught, Claim, Replay, Result

VERSION = 1
_WIDTH = 20


def lines(result: Result) -> Iterator[str]:
    """One replay: the verdict, then what happened without gates, what caught it, what runs afterwards."""
    replay = result.replay
    head = "CAUGHT" if result.passed else "NOT AS PROMISED"
    yield f"{head}  {replay.name}: {replay.title} ({result.seconds:.1f} s)"
    yield from _block("without our gates", [_checked(each) for each in result.shown])
    yield from _block("with them", [_catch(each) for each in result.caught])
    yield from _block("", [f"gates not asked: {replay.unasked}"])
    yield from _block("afterwards", [_checked(each) for each in result.afterwards])
    for difference in result.differences:
        yield f"  DIFFERS  {difference}"


def summary(results: Sequence[Result], seconds: float) -> str:
    """The last line: how many of how many, and how long it took."""
    passed = sum(each.passed for each in results)
    of = f"{passed} of {len(results)} replays shown happening and caught by exactly what is expected"
    return f"{of} ({seconds:.0f} s)"


def promises(replays: Sequence[Replay]) -> str:
    """What each replay promises, in lines for a terminal."""
    rows = []
    for replay in replays:
        rows.append(f"{replay.name:<{_WIDTH}}{replay.title}")
        rows += [f"{'':<{_WIDTH}}  caught by {catch}" for catch in replay.expected]
    return "\n".join(rows)


def promises_json(replays: Sequence[Replay]) -> str:
    """The same, for a machine."""
    return json.dumps(
        [
            {
                "name": each.name,
                "title": each.title,
                "expected": _expected(each),
            }
            for each in replays
        ],
        indent=2,
        ensure_ascii=False,
    )


def document(results: Sequence[Result], seconds: float) -> dict[str, Any]:
    """All of it as plain values."""
    return {
        "version": VERSION,
        "passed": all(each.passed for each in results),
        "seconds": round(seconds, 3),
        "replays": [_document(each) for each in results],
    }


def _document(result: Result) -> dict[str, Any]:
    return {
        "name": result.replay.name,
        "title": result.replay.title,
        "passed": result.passed,
        "seconds": round(result.seconds, 3),
        "shown": [_claim(each) for each in result.shown],
        "caught": [
            {
                "by": each.catch.catcher.value,
                "name": each.catch.name,
                "said": each.said,
                "seconds": round(each.seconds, 3),
            }
            for each in result.caught
        ],
        "expected": _expected(result.replay),
        "gatesNotAsked": result.replay.unasked,
        "afterwards": [_claim(each) for each in result.afterwards],
        "differences": list(result.differences),
    }


def _expected(replay: Replay) -> list[dict[str, str]]:
    return [{"by": each.catcher.value, "name": each.name} for each in replay.expected]


def _claim(claim: Claim) -> dict[str, Any]:
    return {"what": claim.what, "expected": claim.expected, "actual": claim.actual, "held": claim.held}


def _checked(claim: Claim) -> str:
    return f"{'●' if claim.held else '✗'} {claim}"


def _catch(caught: Caught) -> str:
    return f"CAUGHT by {caught.catch} ({caught.seconds:.1f} s): {caught.said}"


def _block(title: str, rows: Sequence[str]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield f"  {title if not number else '':<{_WIDTH}}{row}"
