"""The forms in which a connection string stands in a text: as it is, escaped, percent-encoded, hexadecimal, in base64.

Pure. Each beginning of one is given as a run of plain text, every encoding taken off but the one that belongs to the
string itself; base64 in base64, and a string that is folded over lines or joined from literals, are put together.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

_LONGEST = 2000
_DEEPEST = 2
_BEGINNING = re.compile(
    r"(?i)mongodb(?:(?:\+|%(?:25)*2b|\\u002b|\\x2b|&#(?:43|x2b);)srv)?"
    r"(?::|(?P<encoded>%(?:25)*3a)|\\u003a|\\x3a|&#(?:58|x3a);|&colon;)"
    r"(?:\\{0,4}/|%(?:25)*2f|\\u002f|\\x2f|&#(?:47|x2f);|&sol;){2}"
)
_ESCAPED = re.compile(r"\\{1,4}(?:u00|x)([2-7][0-9a-fA-F])")
_JOINED = re.compile(r"""(["'`])\s*\+?\s*\\?\n?\s*(["'`])(?=[^,)\]}])|\\?\n[ \t]+(?=[^\s"'`#-])""")
_FILLED = re.compile(r"""["']\s*%\s*\(\s*((?:["'][^"'\n]*["']\s*,?\s*)+)\)""")


def fragments(text: bytes) -> tuple[bytes, ...]:
    """What base64 always writes for a text, where it begins at the first, second and third byte of a group."""
    found = []
    for before in range(3):
        packed = base64.b64encode(b"\0" * before + text)
        first = (before * 8 + 5) // 6
        found.append(packed[first : (before + len(text)) * 8 // 6])
    return tuple(found)


ONCE = fragments(b"mongodb")
TWICE = tuple(each for once in ONCE for each in fragments(once))
_BASE64 = re.compile("|".join(re.escape(each.decode()) for each in (*ONCE, *TWICE)))
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]+(?:(?:\\n|\r?\n)[ \t]*[A-Za-z0-9+/_-]+)*")
_HEX = re.compile(r"(?i)6d6f6e676f6462(?:[0-9a-f]{2})+")


def forms(text: str, depth: int = 0) -> Iterator[tuple[int, str]]:
    """Where each connection string begins, and the plain text from there on."""
    for match in _BEGINNING.finditer(text):
        run = text[match.start() : match.start() + _LONGEST]
        yield match.start(), _plain(run, match["encoded"])
        if "\n" in run or "+" in run or "%" in run:
            yield match.start(), _plain(_together(run), match["encoded"])
    for match in _HEX.finditer(text):
        yield match.start(), bytes.fromhex(match[0][:_LONGEST]).decode(errors="replace")
    ends = 0
    for match in _BASE64.finditer(text) if depth < _DEEPEST else ():
        start = match.start() if match.start() >= ends else -1
        for at in range(max(0, start - 3), start + 1) if start >= 0 else ():
            inner, length = _unpacked(text, at)
            for _, plain in forms(inner, depth + 1):
                yield match.start(), plain
                ends = at + length


def _together(run: str) -> str:
    """Literals that are joined or filled in, and lines that are folded, as one."""
    filled = _FILLED.search(run)
    if filled is not None:
        values = re.findall(r"""["']([^"'\n]*)["']""", filled[1])
        run = re.sub("%s", lambda _: values.pop(0) if values else "", run[: filled.start()])
    return _JOINED.sub("", run)


def _plain(run: str, encoded: str | None) -> str:
    if "\\" in run:
        run = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), run)
    run = html.unescape(re.sub(r"&(?:amp;)+", "&", run))
    if encoded is None:
        return run
    # What ends an encoded string is written plainly, so that what follows it is no part of it.
    run = re.split(r"[\s\"'`<>]", run, maxsplit=1)[0]
    for _ in range(1 + encoded.count("25")):
        run = unquote(run)
    return run


def _unpacked(text: str, start: int) -> tuple[str, int]:
    run = _BASE64_RUN.match(text, start, start + _LONGEST)
    if run is None:
        return "", 0
    packed = re.sub(r"\\n|\s", "", run[0]).translate(str.maketrans("-_", "+/"))
    packed = packed[: len(packed) - (len(packed) % 4 == 1)]
    return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode(errors="replace"), len(run[0])
