"""The readings of a text: as it is, and as each of its encodings reads, nested; in time linear in its length."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from policy.values import Value, inside, texts

_DEPTH = 4
SPECIAL = re.compile(r"[@%\\&\[{]")
"""Without one of these a text holds no credential, unless it is packed or a password alone."""

_SHORT = 4096
"""Up to this length a text is decoded by each encoding alone too, which an exact password needs."""

_UNFINISHED = re.compile(
    r"(?i:mongodb(?:\+(?:s(?:rv?)?)?)?(?:(?<![+s])(?<!sr)(?::/?|://(?P<rest>[^\s/@?#]{0,600})))?)$"
)
_MOST_PARTS, LONGEST_PART = 8, 700
_LITERALS = re.compile(
    r"""(["'])[^"'\n]{0,64}mongodb[^"'\n]{0,600}\1(?:\s{0,80}[+,.&|\\]{0,2}\s{0,80}(["'])[^"'\n]{0,400}\2){1,8}""",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"""(["'])([^"'\n]*)\1""")

_DEFAULT = re.compile(r"\$\{\w+:?[-=]([^}]*)\}")
_TEMPLATE = re.compile(
    r"\$\{[^}]*\}|\$\([^)]*\)|\{\{.*?\}\}|\{[^}]*\}|<[^>]*>|\[[^\]]*\]|%\(\w+\)s|%s|%[A-Z_]+%|\$[A-Za-z_]\w*"
)
_STAND_IN = re.compile(
    r"\W*|[xX]{3,}|(?i:redacted|masked)|(?:[A-Z]+_)*(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|SECRET)"
)
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_BACKSLASH = re.compile(r"(?P<units>(?:\\u[0-9A-Fa-f]{4})+)|(?P<bytes>(?:\\x[0-9A-Fa-f]{2})+)|\\(?P<other>.)")
_CONTROL: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_NESTED: Final = {"%": re.compile(r"%(?:25)+"), "&": re.compile(r"&(?:amp;)+"), "\\": re.compile(r"\\{2,}")}
_BASE64 = r"[A-Za-z0-9+/_-]"
_BASE64_TEXT = re.compile(
    rf"(?:[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589]{_BASE64}(?:\r?\n[ \t]*)?){{3,}}+"
    rf"(?:{_BASE64}{{2,3}}(?!{_BASE64}))?"
)
"""Groups of four in which three bytes of ASCII are written: what is no text, or begins elsewhere, has no such run."""

_BASE64_REST = re.compile(rf"(?:{_BASE64}|\s)*")
_BASE64_WORD = re.compile(rf"{_BASE64}{{11,}}")
_HEX_WORD = re.compile(r"(?<![A-Za-z0-9])(?:[0-9A-Fa-f]{2}){8,}+(?![A-Za-z0-9])")
_HEX_TEXT = re.compile(r"(?<![A-Za-z0-9])(?:[2-7][0-9A-Fa-f]){8}(?:[0-9A-Fa-f]{2})*+(?![A-Za-z0-9])")
_STANDARD_ALPHABET = str.maketrans("-_", "+/", "\r\n \t")


def readings(text: str, *, exact: bool) -> Iterator[str]:
    """The text as it is and decoded, breadth first; each reading once, and not more than some times its length."""
    pending = [(text, 0)]
    known = {text, ""}
    budget = 10 * len(text) + 65536
    for current, depth in pending:
        yield current
        if depth == _DEPTH:
            continue
        for inner in _decoded(current, exact=exact):
            if inner not in known and len(inner) <= budget:
                budget -= len(inner)
                known.add(inner)
                pending.append((inner, depth + 1))


def _decoded(text: str, *, exact: bool) -> Iterator[str]:
    """Each other reading; `exact` tries what does not look like a text too: a password may be of any characters."""
    if text.lstrip()[:1] in ("[", "{"):
        yield from _json_values(text)
    if "mongodb" in text.lower():
        for literals in _LITERALS.finditer(text):
            parts = [("", each[2]) for each in _LITERAL.finditer(literals[0])]
            yield from (whole for _, whole in joined(parts))
    escapes = [mark for mark in _ESCAPES if mark in text]
    everything = text
    for mark in escapes:
        everything = _ESCAPES[mark](_NESTED[mark].sub(lambda match: match[0][0], everything))
    if everything != text:
        yield everything
    if escapes and len(text) <= _SHORT:
        yield from (_ESCAPES[mark](text) for mark in escapes)
    yield "\n\n".join(_unpacked(text, run) for run in _BASE64_TEXT.finditer(text))
    yield "\n\n".join(_utf8(run[0]) for run in _HEX_TEXT.finditer(text))
    if exact:
        yield "\n\n".join(_from_base64(run[0]) for run in _BASE64_WORD.finditer(text))
        yield "\n\n".join(_utf8(run[0]) for run in _HEX_WORD.finditer(text))


def _unpacked(text: str, run: re.Match[str]) -> str:
    plain = _from_base64(run[0])
    if "mongodb" in plain.lower() and "@" not in plain:  # a password of other characters interrupts the run
        rest = _BASE64_REST.match(text, run.start(), run.start() + LONGEST_PART)
        return _from_base64(rest[0]) if rest is not None else plain
    return plain


def _from_base64(run: str) -> str:
    run = run.translate(_STANDARD_ALPHABET)
    return base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + "==").decode(errors="replace")


def _json_values(text: str) -> Iterator[str]:
    """All texts of a JSON document, and the strings that are in parts in it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    parts = [series for _, part in inside(document) for series in series_of(part)]
    yield "\n\n".join(
        [*(text for _, text in texts(document)), *(whole for each in parts for _, whole in joined(each))]
    )


def unpercent(text: str) -> str:
    """The text with its percent-encoding undone."""
    return _PERCENT.sub(lambda run: _utf8(run[0].replace("%", "")), text)


def unescaped(text: str) -> str:
    """The text without backslashes, nested ones undone up to the same depth."""
    for _ in range(_DEPTH):
        text = _unbackslash(text)
    return text


def _unbackslash(text: str) -> str:
    """One level of backslashes: of a character's code, a slash, a quote, a line break; of two, one stays."""
    return _BACKSLASH.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    if match["units"]:
        return bytes.fromhex(match["units"].replace("\\u", "")).decode("utf-16-be", "replace")
    if match["bytes"]:
        return _utf8(match["bytes"].replace("\\x", ""))
    return _CONTROL.get(match["other"], match["other"])


def _utf8(digits: str) -> str:
    data = bytes.fromhex(digits)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


_ESCAPES: Final[Mapping[str, Callable[[str], str]]] = {"%": unpercent, "\\": _unbackslash, "&": html.unescape}


def is_packed(text: str, *, exact: bool) -> bool:
    """Whether a text holds a run that base64 or hexadecimal could have written."""
    patterns = (_BASE64_WORD, _HEX_WORD) if exact else (_BASE64_TEXT, _HEX_TEXT)
    return any(pattern.search(text) for pattern in patterns)


def series_of(value: Value) -> Iterator[list[tuple[str, str]]]:
    """The neighbouring texts of one object or list, and of each key of a list's objects, with their places."""
    if isinstance(value, dict):
        yield [(f".{key}", item) for key, item in value.items() if isinstance(item, str)]
    if not isinstance(value, list):
        return
    yield [(f"[{index}]", item) for index, item in enumerate(value) if isinstance(item, str)]
    columns: dict[str, list[tuple[str, str]]] = {}
    for index, item in enumerate(value):
        for key, text in item.items() if isinstance(item, dict) else ():
            if isinstance(text, str):
                columns.setdefault(key, []).append((f"[{index}].{key}", text))
    yield from columns.values()


def joined(series: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Each connection string that begins in one text and is continued by those that follow."""
    for index, (place, text) in enumerate(series):
        end = text[-LONGEST_PART:]
        beginning = _UNFINISHED.search(end) if "mongodb" in end.lower() else None
        if beginning is None:
            continue
        whole = beginning[0]
        for _, part in series[index + 1 : index + _MOST_PARTS]:
            if beginning is None or not _continues(beginning["rest"], part):
                break
            whole += part[:LONGEST_PART]
            beginning = _UNFINISHED.fullmatch(whole)
        if "@" in whole:
            yield place, whole


def _continues(rest: str | None, part: str) -> bool:
    """Whether a part can belong to an unfinished string: behind a complete host and port, only its `@` does."""
    if not rest:
        return bool(part)
    _, colon, password = rest.partition(":")
    if not colon:
        return part.startswith(":")
    if re.fullmatch(r"\d{1,5}", password) or (password and not is_real(password)):
        return part.startswith("@")
    return bool(part)


def is_real(password: str) -> bool:
    """Whether a password is one, and no placeholder, template or mask."""
    plain = unpercent(_DEFAULT.sub(r"\1", password))
    return _STAND_IN.fullmatch(_TEMPLATE.sub("", plain)) is None
