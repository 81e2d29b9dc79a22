"""Escapes values for Markdown pages that are kept in git: no name changes a page's structure."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|@~])")


def escape(text: str) -> str:
    """`text` as plain words in Markdown, in a table cell too: one line, no markup, no mention."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """`text` as a code span that may stand in a table cell."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`".replace("|", "\\|")
