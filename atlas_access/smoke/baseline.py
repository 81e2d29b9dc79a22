"""The answers that a deployment gave before any change: the contract that later answers are held to.

Frozen and tied to one stack and one set of scenarios by digests: a baseline of another stack, of other scenarios or
altered since is refused. The answers are public plan data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atlas_access.smoke.json_difference import canonical, differences
from atlas_access.smoke.model import Smoke

VERSION = 1
SIZE_LIMIT = 64 * 1024 * 1024
"""Characters; twelve scenarios of fourteen plans take about a hundred thousand."""


class BaselineRefused(ValueError):
    """A baseline cannot be used; the message names it, what is wrong with it, and the remedy."""


@dataclass(frozen=True)
class Baseline:
    """What one deployment answered: by each question's key, the answer as canonical JSON.

    `captured_at` is ISO 8601 in UTC, `revision` the one that answered ("" where the application does not say),
    `plans` the plan ids of the household, whose number is the contract.
    """

    stack: str
    url: str
    scenarios: str
    captured_at: str
    revision: str
    plans: tuple[str, ...]
    answers: Mapping[str, str]

    @property
    def contract(self) -> int:
        """How many plans the household was offered."""
        return len(self.plans)

    @property
    def digest(self) -> str:
        """SHA-256 of the whole record."""
        return hashlib.sha256(canonical(self._document()).encode()).hexdigest()

    def answer(self, key: str) -> Any:
        """The answer to one question, as JSON. Raises KeyError for one that was not asked."""
        return json.loads(self.answers[key])

    def to_json(self) -> str:
        """The record as text, with its digest."""
        return json.dumps({**self._document(), "digest": self.digest}, indent=1) + "\n"

    def _document(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "stack": self.stack,
            "url": self.url,
            "scenarios": self.scenarios,
            "captured_at": self.captured_at,
            "revision": self.revision,
            "plans": list(self.plans),
            "answers": {key: json.loads(text) for key, text in sorted(self.answers.items())},
        }


def renewal(before: Baseline, after: Baseline, ignore: Collection[str] = ()) -> tuple[str, ...]:
    """What a later capture answers otherwise, one line a difference: what a reviewer of the renewal accepts.

    Fields named in `ignore` count nowhere. Questions that only one of them holds are named.
    """
    lines: list[str] = []
    for key in sorted(before.answers.keys() | after.answers.keys()):
        if key not in after.answers:
            lines.append(f"{key}: no longer asked")
        elif key not in before.answers:
            lines.append(f"{key}: asked from now on")
        else:
            changed = differences(before.answer(key), after.answer(key), ignore)
            lines += [f"{key}: {each}" for each in changed]
    return tuple(lines)


def read_baseline(text: str, source: str, *, stack: str, smoke: Smoke | None) -> Baseline:
    """Read a baseline for use on a stack with these scenarios, None for any. Raises BaselineRefused."""
    again = f"Capture one with: atlas-access baseline capture {stack}."
    if len(text) > SIZE_LIMIT:
        raise BaselineRefused(f"{source} is too large to be a baseline. {again}")
    try:
        data = json.loads(text)
        if data["version"] != VERSION:
            raise BaselineRefused(f"{source} is of another version of this tool. {again}")
        read = Baseline(
            **{key: str(data[key]) for key in ("stack", "url", "scenarios", "captured_at", "revision")},
            plans=tuple(str(each) for each in data["plans"]),
            answers={str(key): canonical(value) for key, value in data["answers"].items()},
        )
        datetime.fromisoformat(read.captured_at)
        digest = str(data["digest"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, BaselineRefused):
            raise
        raise BaselineRefused(f"{source} is not a baseline. {again}") from None
    if read.digest != digest:
        raise BaselineRefused(f"{source} was changed after it was captured. {again}")
    if read.stack != stack:
        raise BaselineRefused(f"{source} is the baseline of another stack, not of {stack}. {again}")
    if smoke is not None and read.scenarios != smoke.digest:
        raise BaselineRefused(
            f"{source} was captured with other scenarios than smoke.yaml holds now. "
            f"Renew it: atlas-access baseline renew {stack}."
        )
    if not read.plans:
        raise BaselineRefused(f"{source} offers no plan at all. {again}")
    return read
