"""Foreign text inside GitHub's Markdown: shown letter by letter, and never a mention, a link, a reference or markup.

Names of roles and users are free text that whoever changed Atlas chose.
"""

from __future__ import annotations

import re
import unicodedata

from atlas_access.base.redaction import redact

BREAK = "\u200b"
"""Zero-width space: it keeps GitHub from reading @name, #12, GH-12 and addresses in the text that Markdown leaves."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#|~$&!+=^\"':-])")
_READ_BY_GITHUB = re.compile(
    r"(@|#(?=\d)|\bGH-(?=\d)|:(?=//)|\bwww(?=\.)|\bmailto(?=:)|\bxmpp(?=:))", re.IGNORECASE
)
_NUMBERED = re.compile(r"^(\d+)\.")
_LONGEST = 20_000
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, limit: int = 1000) -> str:
    """Return `text`, redacted, as words on one line; a long one is cut, invisible ones are named as `<U+202E>`."""
    text = redact(text[:_LONGEST])
    one_line = " ".join("".join(_visible(char) for char in text[: limit + 1]).split())
    cut = one_line[:limit] + (" …" if len(text) > limit else "")
    broken = _READ_BY_GITHUB.sub(rf"\1{BREAK}", cut)
    return _NUMBERED.sub(r"\1\\.", _SPECIAL.sub(r"\\\1", broken))


def _visible(char: str) -> str:
    if char in "\n\r\t" or unicodedata.category(char) not in _HIDDEN:
        return char
    return f"<U+{ord(char):04X}>"
