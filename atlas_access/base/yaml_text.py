"""What a line of a YAML file must not hold: secret values, and characters that a reviewer cannot see or mistakes."""

import re
import unicodedata

from atlas_access.base.yaml_errors import character, looks_random

LEAKED = "Remove it and treat it as leaked: rotate it. Values live in Secrets Manager; this file names them."

_SCHEME = re.compile(r"[A-Za-z0-9+.-]{2,30}(?::|%3a)(?:\\?/|%2f){2}", re.IGNORECASE)
_COLON = re.compile(r":|%3a", re.IGNORECASE)
_AT = re.compile(r"@|%40")
_KEY_MATERIAL = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_[A-Za-z0-9]{20,}"
)
_NAMED_SECRET = re.compile(
    r"(?:password|passwd|pwd|passphrase|secret[_-]?(?:key|value|string)|private[_-]?key|api[_-]?key"
    r"|access[_-]?key|token|credential)s?[\"']?\s{0,8}[:=]\s{0,8}\S",
    re.IGNORECASE,
)
_OTHER_SCRIPTS = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL")
"""Scripts with letters that look like Latin ones, by the beginning of a letter's Unicode name."""


def secret_in(line: str) -> str | None:
    """Name what in a line, or in a decoded value, looks like a secret; None for nothing."""
    for scheme in _SCHEME.finditer(line):
        rest = line[scheme.end() : scheme.end() + 1000].split(maxsplit=1)
        colon = _COLON.search(rest[0]) if rest else None
        if rest and colon and _AT.search(rest[0], colon.end()):
            return "a connection string with a password"
        if scheme[0].lower().startswith("mongodb"):
            return "a connection string"
    if _KEY_MATERIAL.search(line):
        return "a key"
    if _NAMED_SECRET.search(line) or looks_random(line):
        return "what looks like a secret value"
    return None


def odd_character(line: str) -> tuple[str, str] | None:
    """Name the first character of a line that is invisible or looks like another, and the remedy; None for none."""
    if line.isascii() and line.isprintable():
        return None
    for letter in line:
        if letter == "\ufffd":
            return f"not UTF-8 here: {character(letter)}", "Restore the character and save the file as UTF-8."
        if not letter.isprintable() and letter not in "\t\r\n":
            return (
                f"a hidden character, {character(letter)}",
                "Remove it: what is shown must be what is read.",
            )
    for word in () if line.isascii() else re.findall(r"\w+", line):
        if any(letter.isascii() and letter.isalpha() for letter in word):
            for letter in word:
                if unicodedata.name(letter, "").startswith(_OTHER_SCRIPTS):
                    return (
                        f"{character(letter)} among Latin letters, which it looks like",
                        "Type the word again with Latin letters.",
                    )
    return None
