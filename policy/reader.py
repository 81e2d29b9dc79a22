"""Reads untrusted properties, decides what is malformed, and records what it could not read, without quoting values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from policy.values import Marker, Text, Value, from_protocol

V = TypeVar("V")


@dataclass(frozen=True)
class Problem:
    """A property that is not what its type says: where it stands and what is expected there."""

    path: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path} has to be {self.expected}"


class Reader:
    """Typed access to one object of properties; `problems` is shared by all readers of a resource."""

    def __init__(
        self, props: Mapping[str, Value], path: str = "", problems: list[Problem] | None = None
    ) -> None:
        self._props = props
        self._path = path
        self.problems: list[Problem] = [] if problems is None else problems

    def path(self, key: str) -> str:
        """The full path of a key of this object."""
        return f"{self._path}.{key}" if self._path else key

    def value(self, key: str) -> Value:
        """What is under a key, of whatever form; None where absent."""
        return self._props.get(key)

    def text(self, *keys: str, required: bool = False) -> Text | None:
        """A text under the first key that is present; None where absent or malformed."""
        key = next((name for name in keys if self._props.get(name) is not None), keys[0])
        if required and self._props.get(key) is None:
            self.wrong(key, "a text")
        return self._one(key, "a text", str)

    def flag(self, key: str) -> bool | Marker | None:
        """A boolean; None where absent or malformed."""
        return self._one(key, "true or false", bool)

    def number(self, key: str) -> float | Marker | None:
        """A number; None where absent or malformed."""
        return self._one(key, "a number", float, int)

    def _one(self, key: str, expected: str, *types: type[V]) -> V | Marker | None:
        """A value of exactly one of these types: true is no number."""
        value = self._props.get(key)
        if value is None or isinstance(value, Marker):
            return value
        if type(value) in types:
            return cast(V, value)
        self.wrong(key, expected)
        return None

    def objects(self, key: str, *, required: bool = False) -> tuple[Reader, ...] | Marker:
        """A list of objects; entries that are something else are problems and left out.

        An unknown entry makes the whole list unknown: what it will hold cannot be judged in part.
        """
        value = self._props.get(key)
        if isinstance(value, Marker):
            return value
        if not isinstance(value, list):
            if required or value is not None:
                self.wrong(key, "a list of objects")
            return ()
        readers = []
        for index, item in enumerate(value):
            if isinstance(item, Marker):
                return item
            if isinstance(item, dict):
                readers.append(Reader(item, f"{self.path(key)}[{index}]", self.problems))
            else:
                self.wrong(f"{key}[{index}]", "an object")
        return tuple(readers)

    def texts(self, key: str) -> tuple[Text, ...] | None:
        """A text or a list of texts, as IAM writes actions and resources; None where absent."""
        value = self._props.get(key)
        if value is None:
            return None
        listed = value if isinstance(value, list) else [value]
        for index, item in enumerate(listed):
            if not isinstance(item, str | Marker):
                self.wrong(f"{key}[{index}]" if listed is value else key, "a text or a list of texts")
        return tuple(item for item in listed if isinstance(item, str | Marker))

    def document(self, key: str, *, required: bool = False) -> Value:
        """A JSON document, as text or already decoded; None where absent or malformed."""
        value = self._props.get(key)
        if not isinstance(value, str) and (value is not None or not required):
            return value
        try:
            return from_protocol(json.loads(value or ""))
        except (ValueError, RecursionError):
            self.wrong(key, "a JSON document")
            return None

    def wrong(self, key: str, expected: str) -> None:
        """Remember that this key does not hold what it has to."""
        self.problems.append(Problem(self.path(key), expected))
