"""The text of a manifest as plain data, with the line of every part.

For: reading the small and safe part of YAML that a manifest needs, and reporting what is outside it with its line.
Never: builds an object from a tag, follows an alias, or repeats a value of the file in a message.

Plain scalars follow the core schema of YAML 1.2 (true, false, null, integers, floats; anything else is a string), so
that a key `on` is the word "on" in every editor and here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from atlas_access.base.yaml_errors import ManifestError, shown

SIZE_LIMIT = 256 * 1024
"""Characters; the real file has about seven thousand."""
DEPTH_LIMIT = 16
PARTS_LIMIT = 5_000
"""Keys, values and brackets together; the real file has about six hundred."""

Scalar = str | int | float | bool | None
Plain = Scalar | tuple["Plain", ...] | dict[str, "Plain"]
Path = tuple[str | int, ...]

_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{0,17}")
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(frozen=True)
class Repeated:
    """A key that stands more than once in one mapping: the first line counts, the others are errors."""

    path: Path
    line: int
    first_line: int
    value: Plain


@dataclass(frozen=True)
class Document:
    """A manifest's data, the line of each path (a key's own line for mapping entries), and its repeated keys."""

    data: Plain
    lines: dict[Path, int]
    repeated: tuple[Repeated, ...]

    def line(self, path: Path) -> int:
        """Return the line of the path, or of the nearest part above it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def scalars(self) -> Iterator[tuple[Path, Scalar]]:
        """Yield every scalar with its path; a mapping's keys count as scalars at their entry's path."""
        todo: list[tuple[Path, Plain]] = [
            ((), self.data),
            *((item.path, item.value) for item in self.repeated),
        ]
        while todo:
            path, value = todo.pop()
            if isinstance(value, dict):
                for key, below in value.items():
                    yield (*path, key), key
                    todo.append(((*path, key), below))
            elif isinstance(value, tuple):
                todo.extend(((*path, index), item) for index, item in enumerate(value))
            else:
                yield path, value


def dotted(path: Path) -> str:
    """Write a path as `users.app_read.role` or `legacy.staging.users.x.secrets[0].name`; odd keys are not shown."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if shown(part).startswith('"') else "?")
    return text


class _Refused(Exception):
    def __init__(self, line: int, problem: str, remedy: str) -> None:
        self.line, self.problem, self.remedy = line, problem, remedy


def read_yaml(text: str, source: str) -> tuple[Document | None, tuple[ManifestError, ...]]:
    """Read text; the document is None when the text is not YAML at all, and then exactly one error says why."""
    try:
        return _read(text), ()
    except _Refused as refused:
        return None, (ManifestError(source, refused.line, "", refused.problem, refused.remedy),)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        problem, remedy = _syntax(text, line, error)
        return None, (ManifestError(source, line, "", problem, remedy),)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return None, (
            ManifestError(
                source, line, "", "a character that YAML does not allow", "Remove it; save as UTF-8."
            ),
        )


def _read(text: str) -> Document:
    """By the parser in C where there is one; what that refuses is told in the words of the one in Python."""
    fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Reader(text, fast).read()
    except yaml.YAMLError:
        return _Reader(text, yaml.SafeLoader).read()


def _syntax(text: str, line: int, error: yaml.MarkedYAMLError) -> tuple[str, str]:
    lines = text.splitlines()
    content = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in content[: len(content) - len(content.lstrip())] or "'\\t'" in (error.problem or ""):
        return "a tab where spaces are needed", "Indent with spaces only."
    # PyYAML's problem texts quote at most one character or name a token; anything longer could be a value.
    detail = (error.problem or "").split(",")[0]
    known = re.fullmatch(
        r"[a-z ]+('[^\w\s]{1,3}'|<[a-z ]+>)?[a-z ]*('[^\w\s]{1,3}'|<[a-z ]+>)?[a-z ]*", detail
    )
    return (
        f"not valid YAML{f' ({detail})' if known and detail else ''}",
        "Check quotes, brackets and indentation here.",
    )


class _Reader:
    """Builds the data from parser events without recursion, so that depth and size are bounded."""

    def __init__(self, text: str, loader: type[Any]) -> None:
        self._text, self._loader = text, loader
        self._lines: dict[Path, int] = {}
        self._repeated: list[Repeated] = []

    def read(self) -> Document:
        if len(self._text) > SIZE_LIMIT:
            raise _Refused(
                1, f"larger than {SIZE_LIMIT // 1024} KiB", "A manifest is small: name what is needed."
            )
        events = self._events()
        first = next(events, None)
        data = None if first is None else self._value(first, events, (), 0)
        if next(events, None) is not None:
            raise _Refused(1, "more than one YAML document", "Keep one document: remove the line `---`.")
        return Document(data, self._lines, tuple(self._repeated))

    def _events(self) -> Iterator[yaml.Event]:
        count = 0
        documents = 0
        for event in yaml.parse(self._text, Loader=self._loader):
            line = _line(event)
            count += 1
            if count > PARTS_LIMIT:
                raise _Refused(line, "too many parts", "A manifest is small: name what is needed.")
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Refused(
                        line, "more than one YAML document", "Keep one document: remove the line `---`."
                    )
                continue
            if isinstance(event, yaml.StreamStartEvent | yaml.StreamEndEvent | yaml.DocumentEndEvent):
                continue
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                raise _Refused(
                    line, "an anchor or alias (& or *)", "Write the value out; a reviewer reads it here."
                )
            if getattr(event, "tag", None) is not None:
                raise _Refused(
                    line, "a YAML tag (!)", "Remove the tag; plain words, lists and mappings suffice."
                )
            yield event

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path, depth: int) -> Plain:
        line = _line(event)
        self._lines.setdefault(path, line)
        if depth > DEPTH_LIMIT:
            raise _Refused(
                line, f"nested deeper than {DEPTH_LIMIT} levels", "A manifest is flat: see access.yaml."
            )
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path, depth)
        return self._mapping(events, path, depth)

    def _sequence(self, events: Iterator[yaml.Event], path: Path, depth: int) -> tuple[Plain, ...]:
        items: list[Plain] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, events, (*path, len(items)), depth + 1))
        return tuple(items)

    def _mapping(self, events: Iterator[yaml.Event], path: Path, depth: int) -> dict[str, Plain]:
        entries: dict[str, Plain] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _Refused(line, "a key that is a list or a mapping", "A key is one word.")
            key = event.value
            here = (*path, key)
            if key in entries:
                kept = dict(self._lines)
                value = self._value(next(events), events, here, depth + 1)
                self._lines = kept
                self._repeated.append(Repeated(here, line, kept[here], value))
                continue
            self._lines[here] = line
            entries[key] = self._value(next(events), events, here, depth + 1)
        return entries


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
