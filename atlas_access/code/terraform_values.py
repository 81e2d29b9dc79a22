"""Terraform's own functions and conditions, over values of which a part may be unknown. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

UNKNOWN = re.compile(r".*", re.DOTALL)
"""A value that is not known; a string of which a part is known is another pattern."""


def together(between: str, values: Iterable[Any]) -> Any:
    """One string of several, a pattern where a part is unknown."""
    listed = list(values)
    if not any(isinstance(each, re.Pattern | dict | list) for each in listed):
        return between.join(str(each) for each in listed)
    texts = (each.pattern if isinstance(each, re.Pattern) else re.escape(str(each)) for each in listed)
    return re.compile(re.escape(between).join(texts), re.DOTALL)


def decided(kind: str, values: list[Any]) -> Any:
    """A condition's answer; one side may decide where the other is unknown."""
    known = [each for each in values if not isinstance(each, re.Pattern)]
    whole = len(known) == len(values)
    if kind == "and":
        return False if not all(known) else True if whole else UNKNOWN
    if kind == "or":
        return True if any(known) else False if whole else UNKNOWN
    if not whole:
        return UNKNOWN
    return not known[0] if kind == "not" else (known[0] == known[1]) is (kind == "same")


FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    **dict.fromkeys(("toset", "tolist", "tomap", "tostring", "tobool", "try"), lambda values: values[0]),
    "join": lambda values: together(values[0], values[1]),
    "format": lambda values: together("", _filled(values[0], values[1:])),
    "lower": lambda values: values[0].lower(), "upper": lambda values: values[0].upper(),
    "concat": lambda values: [each for many in values for each in many],
    "merge": lambda values: {key: each for many in values for key, each in many.items()},
    "length": lambda values: len(values[0]), "keys": lambda values: sorted(values[0]),
    "values": lambda values: list(values[0].values()),
    "coalesce": lambda values: next((each for each in values if each not in (None, "")), UNKNOWN),
    "lookup": lambda values: values[0].get(values[1], *values[2:]),
    "replace": lambda values: values[0].replace(values[1], values[2]),
}  # fmt: skip


def _filled(pattern: str, values: list[Any]) -> Iterator[Any]:
    pieces = re.split(r"%[sdv]", pattern)
    for at, piece in enumerate(pieces):
        yield piece
        if at < len(pieces) - 1:
            yield values[at]
