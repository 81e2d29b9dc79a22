"""The forms in which a connection string stands in a text: as it is, escaped, percent-encoded, and in base64.

Pure. Each beginning of one is given as a run of plain text, every encoding taken off but the one that belongs to the
string itself. A string that is cut in two, packed or encrypted has no form here.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

_LONGEST = 2000
_BEGINNING = re.compile(
    r"(?i)mongodb(?:(?:\+|%(?:25)*2b|\\u002b|\\x2b|&#(?:43|x2b);)srv)?"
    r"(?::|(?P<encoded>%(?:25)*3a)|\\u003a|\\x3a|&#(?:58|x3a);|&colon;)"
    r"(?:\\{0,4}/|%(?:25)*2f|\\u002f|\\x2f|&#(?:47|x2f);|&sol;){2}"
)
_ESCAPED = re.compile(r"\\{1,4}(?:u00|x)([2-7][0-9a-fA-F])")
_BASE64 = re.compile(r"bW9uZ29kY|1vbmdvZG|tb25nb2Ri")
_INTO_GROUP = {"b": 0, "1": 2, "t": 3}
"""How far into a group of four characters each of them begins."""

_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]+(?:(?:\\n|\r?\n)[ \t]*[A-Za-z0-9+/_-]+)*")


def forms(text: str) -> Iterator[tuple[int, str]]:
    """Where each connection string begins, and the plain text from there on."""
    for match in _BEGINNING.finditer(text):
        yield match.start(), _plain(text[match.start() : match.start() + _LONGEST], match["encoded"])
    for match in _BASE64.finditer(text):
        inner = _unpacked(text, match.start() - _INTO_GROUP[match[0][0]])
        for each in _BEGINNING.finditer(inner):
            yield match.start(), _plain(inner[each.start() : each.start() + _LONGEST], each["encoded"])
            break


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


def _unpacked(text: str, start: int) -> str:
    run = _BASE64_RUN.match(text, max(0, start), max(0, start) + _LONGEST)
    if run is None or start < 0:
        return ""
    packed = re.sub(r"\\n|\s", "", run[0]).translate(str.maketrans("-_", "+/"))
    packed = packed[: len(packed) - (len(packed) % 4 == 1)]
    return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode(errors="replace")
