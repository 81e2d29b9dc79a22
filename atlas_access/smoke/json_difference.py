"""The differences between two JSON answers, readable: where, what it was, what it is now.

Lists of objects that carry an id are compared by it, so that one missing plan is one difference. `true` is not 1.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from atlas_access.base import one_line

IDS = ("plan_id", "rxcui", "npi", "id", "code")
_LONGEST = 60
_DEEPEST = 60


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two answers differ; `before` or `after` is "absent" where only one has it."""

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path or 'the answer'}: {self.before} → {self.after}"


def differences(before: Any, after: Any, ignore: Collection[str] = ()) -> tuple[Difference, ...]:
    """Every difference in the order of the answers; fields named in `ignore` count nowhere."""
    return tuple(_compare("", before, after, frozenset(ignore), 0))


def canonical(value: Any) -> str:
    """JSON with sorted keys: equal values are equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _compare(path: str, before: Any, after: Any, ignore: frozenset[str], depth: int) -> Iterator[Difference]:
    if depth > _DEEPEST:
        if canonical(before) != canonical(after):
            yield Difference(path, "(deep)", "(deep, other)")
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            if key not in ignore:
                below = f"{path}.{one_line(str(key), _LONGEST)}" if path else one_line(str(key), _LONGEST)
                yield from _compare(below, before.get(key, ABSENT), after.get(key, ABSENT), ignore, depth + 1)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(path, before, after, ignore, depth)
    elif not _equal(before, after):
        yield Difference(path, _shown(before), _shown(after))


def _lists(
    path: str, before: list[Any], after: list[Any], ignore: frozenset[str], depth: int
) -> Iterator[Difference]:
    key = _id_of(before, after)
    if key is None:
        for index in range(max(len(before), len(after))):
            left = before[index] if index < len(before) else ABSENT
            right = after[index] if index < len(after) else ABSENT
            yield from _compare(f"{path}[{index}]", left, right, ignore, depth + 1)
        return
    old, new = ({each[key]: each for each in side} for side in (before, after))
    for name in [*old, *(name for name in new if name not in old)]:
        place = f"{path}[{one_line(str(name), _LONGEST)}]"
        yield from _compare(place, old.get(name, ABSENT), new.get(name, ABSENT), ignore, depth + 1)
    if old.keys() == new.keys() and list(old) != list(new):
        first = next(index for index, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1])
        yield Difference(
            f"{path} order, place {first + 1}", _shown(list(old)[first]), _shown(list(new)[first])
        )


def _id_of(*sides: list[Any]) -> str | None:
    """The field by which every object of both lists is known, each once; None where there is none."""
    everything = [each for side in sides for each in side]
    if not everything or not all(isinstance(each, Mapping) for each in everything):
        return None
    for key in IDS:
        values = [[each.get(key) for each in side] for side in sides]
        if all(isinstance(value, str) for side in values for value in side) and all(
            len(set(side)) == len(side) for side in values
        ):
            return key
    return None


def _equal(before: Any, after: Any) -> bool:
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    return bool(before == after)


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    if isinstance(value, Mapping):
        return f"an object of {len(value)} fields"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return one_line(json.dumps(value, ensure_ascii=False), _LONGEST)
