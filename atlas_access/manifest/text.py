"""Checks of a manifest's bare text and of its version, before its meaning is looked at.

For: stopping secrets and connection strings from entering version control, in values, keys and comments alike, and
refusing a file that another version of this tool must read.
Never: repeats what it found.
"""

import re

from atlas_access.base import SIZE_LIMIT, Document, ManifestError, Plain, looks_random
from atlas_access.manifest.file import VERSION

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

_WAY_OUT = (
    "Remove it and treat it as leaked: rotate it. Values live in Secrets Manager; this file names them."
)


def check_text(text: str, source: str) -> tuple[ManifestError, ...]:
    """Return an error for each line that holds what looks like a secret value; a text beyond the limit has none."""
    if len(text) > SIZE_LIMIT:
        return ()
    return tuple(
        ManifestError(source, number, "", problem, _WAY_OUT)
        for number, line in enumerate(text.split("\n"), start=1)
        if (problem := _problem(line)) is not None
    )


def check_values(document: Document, source: str) -> tuple[ManifestError, ...]:
    """Return an error for each decoded value that looks like a secret; escapes and folding hide nothing."""
    return tuple(
        ManifestError(source, document.line(path), "", problem, _WAY_OUT)
        for path, value in document.scalars()
        if isinstance(value, str) and (problem := _problem(value)) is not None
    )


def _problem(line: str) -> str | None:
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


def check_version(document: Document, source: str) -> ManifestError | None:
    """Return why the file cannot be read at all: empty, no mapping, or of another version."""
    data: Plain = document.data
    if data is None:
        return ManifestError(
            source, 1, "", "the file is empty", "Start from the access.yaml of this repository."
        )
    if not isinstance(data, dict):
        return ManifestError(
            source, 1, "", "not a mapping at the top", "Start with `version: 1` and the other keys."
        )
    version = data.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        return ManifestError(
            source,
            document.line(("version",)),
            "version",
            f"version {version} is newer than this tool, which reads version {VERSION}",
            "Update atlas-access.",
        )
    return None
