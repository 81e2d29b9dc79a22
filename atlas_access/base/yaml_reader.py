"""The text of a YAML file as plain data, with the line of every part: the one reader of every YAML file.

It reads the small and safe part of YAML that these files need, and reports what is outside it (tags, aliases) with its
line, without repeating a value. Plain scalars follow the core schema of YAML 1.2 (true, false, null, integers, floats;
anything else is a string), so that a key `on` is the word "on" in every editor and here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from atlas_access.base.yaml_errors import ManifestError, ManifestInvalid, shown
from atlas_access.base.yaml_text import LEAKED, odd_character, secret_in

SIZE_LIMIT = 256 * 1024
"""Characters; the real manifest has about seven thousand."""
DEPTH_LIMIT = 16
PARTS_LIMIT = 5_000
"""Keys, values and brackets together; the real manifest has about six hundred."""

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
class Document:
    """A file's data, the line of each path (a key's own line for mapping entries), and errors of single lines."""

    source: str
    data: Plain
    lines: dict[Path, int]
    errors: tuple[ManifestError, ...]

    def line(self, path: Path) -> int:
        """Return the line of the path, or of the nearest part above it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


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


def read_yaml(text: str | bytes, source: str, *, secrets: bool = False) -> Document:
    """Read a text; with `secrets`, what looks like a secret is among the document's errors, as repeated keys are.

    Raises ManifestInvalid when the text is not plain YAML, for that reason alone (and for secrets).
    """
    leaked: list[ManifestError] = []
    hidden: list[ManifestError] = []

    def inspect(number: int, line: str) -> None:
        if secrets and (secret := secret_in(line)):
            leaked.append(ManifestError(source, number, "", secret, LEAKED))
        elif odd := odd_character(line):
            hidden.append(ManifestError(source, number, "", *odd))

    try:
        text = _decoded(text)
        for number, line in enumerate(text.split("\n"), start=1):
            inspect(number, line)
        if hidden:
            raise ManifestInvalid([*leaked, *hidden])
        reader = _Reader(text)
    except _Refused as refused:
        problem = ManifestError(source, refused.line, "", refused.problem, refused.remedy)
        raise ManifestInvalid([*leaked, problem]) from None
    for number, value in reader.scalars:
        inspect(number, value)
    if hidden:
        raise ManifestInvalid([*leaked, *hidden])
    repeated = (
        ManifestError(source, line, dotted(path), problem, remedy)
        for path, line, problem, remedy in reader.repeated
        if line not in {each.line for each in leaked}
    )
    return Document(source, reader.data, reader.lines, (*leaked, *repeated))


def _decoded(text: str | bytes) -> str:
    if isinstance(text, str):
        decoded = text
    else:
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise _Refused(1, "not UTF-8 but UTF-16", "Save it as UTF-8.")
        try:
            decoded = text.decode()
        except UnicodeDecodeError as error:
            line = text.count(b"\n", 0, error.start) + 1
            place = f"byte 0x{text[error.start]:02x} at offset {error.start}"
            raise _Refused(line, f"not UTF-8: {place}", "Save it as UTF-8.") from None
    if len(decoded) > SIZE_LIMIT:
        raise _Refused(
            1, f"larger than {SIZE_LIMIT // 1024} KiB", "Such a file is small: name what is needed."
        )
    return decoded.removeprefix("\ufeff")


def _events(text: str) -> list[Event]:
    """By the parser in C where there is one; what that refuses is put in the words of the one in Python."""
    for pure in (False, True):
        try:
            parsed = YAML(typ="safe", pure=pure).parse(text)
            return list(islice(parsed, PARTS_LIMIT + 10))
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, detail = (mark.line + 1 if mark is not None else 1), error.problem or ""
        except YAMLError:
            line, detail = 1, ""
    content = [*text.splitlines(), ""][min(line, len(text.splitlines()) + 1) - 1]
    if "\t" in content[: len(content) - len(content.lstrip())] or "'\\t'" in detail:
        raise _Refused(line, "a tab where spaces are needed", "Indent with spaces only.")
    # The parser's problem texts quote at most one character or name a token; anything longer could be a value.
    token = r"[a-z ]+('[^\w\s]{1,3}'|<[a-z ]+>)?[a-z ]*('[^\w\s]{1,3}'|<[a-z ]+>)?[a-z ]*"  # noqa: S105
    known = re.fullmatch(token, detail.split(",")[0])
    raise _Refused(
        line,
        f"not valid YAML{f' ({known[0]})' if known else ''}",
        "Check quotes, brackets and indentation here.",
    )


class _Reader:
    """Builds the data from the parser's events; depth and size are bounded."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self.scalars: list[tuple[int, str]] = []
        self.repeated: list[tuple[Path, int, str, str]] = []
        events = _events(text)
        documents = [event for event in events if isinstance(event, DocumentStartEvent)]
        if len(documents) > 1:
            remedy = "Keep one document: remove the line `---`."
            raise _Refused(_line(documents[1]), "more than one YAML document", remedy)
        parts = [event for event in events if isinstance(event, _PARTS)]
        if len(parts) > PARTS_LIMIT:
            remedy = "Such a file is small: name what is needed."
            raise _Refused(_line(parts[PARTS_LIMIT]), "too many parts", remedy)
        merge = next(filter(_is_merge, parts), None)
        for event in parts if merge is None else [merge]:
            self._refuse_constructs(event)
        self._rest = iter(parts)
        first = next(self._rest, None)
        self.data = None if first is None else self._value(first, (), 0)

    @staticmethod
    def _refuse_constructs(event: Event) -> None:
        line = _line(event)
        if _is_merge(event):
            remedy = "Write the keys out where they belong; a reviewer reads them there."
            raise _Refused(line, "a merge key (<<)", remedy)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            remedy = "Write the value out; a reviewer reads it here."
            raise _Refused(line, "an anchor or alias (& or *)", remedy)
        if getattr(event, "tag", None) is not None:
            remedy = "Remove the tag; plain words, lists and mappings suffice."
            raise _Refused(line, "a YAML tag (!)", remedy)

    def _value(self, event: Event, path: Path, depth: int) -> Plain:
        line = _line(event)
        self.lines.setdefault(path, line)
        if depth > DEPTH_LIMIT:
            remedy = "Such a file is flat: see the one of this repository."
            raise _Refused(line, f"nested deeper than {DEPTH_LIMIT} levels", remedy)
        if isinstance(event, ScalarEvent):
            self.scalars.append((line, event.value))
            return _scalar(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping(path, depth)
        items: list[Plain] = []
        for item in self._until(SequenceEndEvent):
            items.append(self._value(item, (*path, len(items)), depth + 1))
        return tuple(items)

    def _mapping(self, path: Path, depth: int) -> dict[str, Plain]:
        entries: dict[str, Plain] = {}
        for event in self._until(MappingEndEvent):
            line = _line(event)
            if not isinstance(event, ScalarEvent):
                raise _Refused(line, "a key that is a list or a mapping", "A key is one word.")
            key: str = event.value
            here = (*path, key)
            self.scalars.append((line, key))
            if key in entries:
                remedy = f"Put both into one; the first is in line {self.lines[here]}."
                self.repeated.append((here, line, f"{shown(key)} is written twice", remedy))
            self.lines.setdefault(here, line)
            value = self._value(next(self._rest), here, depth + 1)
            entries.setdefault(key, value)
        return entries

    def _until(self, end: type[Event]) -> Iterator[Event]:
        for event in self._rest:
            if isinstance(event, end):
                return
            yield event


_PARTS = (
    AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent,
)  # fmt: skip


def _is_merge(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and event.value == "<<" and not event.style


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _scalar(event: ScalarEvent) -> Scalar:
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
