"""Formats a replay's result for a terminal and as JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sandbox.replays.model import Caught, Claim, Replay, Told

VERSION = 1
_WIDTH = 20


def lines(told: Told) -> Iterator[str]:
    """One replay: the answer first, then what was seen without our gates, what caught it, what runs afterwards."""
    replay = told.replay
    head = "CAUGHT" if told.passed else "NOT AS PROMISED"
    yield f"{head}  {replay.name}: {replay.title} ({told.seconds:.1f} s)"
    yield from _block("without our gates", [_seen(each) for each in told.shown])
    yield from _block("with them", [_catch(each) for each in told.caught])
    yield from _block("", [f"gates not asked: {replay.unasked}"] if replay.unasked else [])
    yield from _block("afterwards", [_seen(each) for each in told.afterwards])
    for difference in told.differences:
        yield f"  DIFFERS  {difference}"


def summary(told: Sequence[Told], seconds: float) -> str:
    """The last line: how many of how many, and how long it took."""
    passed = sum(each.passed for each in told)
    of = f"{passed} of {len(told)} replays shown happening and caught by exactly what is expected"
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
                "start": each.start.name.lower(),
                "expected": _expected(each),
            }
            for each in replays
        ],
        indent=2,
        ensure_ascii=False,
    )


def document(told: Sequence[Told], seconds: float) -> dict[str, Any]:
    """All of it as plain values."""
    return {
        "version": VERSION,
        "passed": all(each.passed for each in told),
        "seconds": round(seconds, 3),
        "replays": [_document(each) for each in told],
    }


def _document(told: Told) -> dict[str, Any]:
    return {
        "name": told.replay.name,
        "title": told.replay.title,
        "passed": told.passed,
        "seconds": round(told.seconds, 3),
        "shown": [_claim(each) for each in told.shown],
        "caught": [
            {
                "by": each.catch.catcher.value,
                "name": each.catch.name,
                "said": each.said,
                "seconds": round(each.seconds, 3),
                "undone": asdict(each.undone) if each.undone else None,
            }
            for each in told.caught
        ],
        "expected": _expected(told.replay),
        "gatesNotAsked": told.replay.unasked,
        "afterwards": [_claim(each) for each in told.afterwards],
        "differences": list(told.differences),
    }


def _expected(replay: Replay) -> list[dict[str, str]]:
    return [{"by": each.catcher.value, "name": each.name} for each in replay.expected]


def _claim(claim: Claim) -> dict[str, Any]:
    return {"what": claim.what, "expected": claim.expected, "actual": claim.actual, "held": claim.held}


def _seen(claim: Claim) -> str:
    return f"{'●' if claim.held else '✗'} {claim}"


def _catch(caught: Caught) -> str:
    undone = "" if caught.undone is None else f"; {caught.undone}"
    return f"CAUGHT by {caught.catch} ({caught.seconds:.1f} s{undone}): {caught.said}"


def _block(title: str, rows: Sequence[str]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield f"  {title if not number else '':<{_WIDTH}}{row}"
