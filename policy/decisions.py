"""Decision records that loosen a limit: a section of a document, named by the law with its path and digest.

A record allows what its header lists, and nothing else. What is not found, changed since, or without its date and its
approving roles, allows nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_HEADER = re.compile(
    r"^[-*] (?P<key>Allows|Approved by|Date): *(?P<value>(?:.*)(?:\n[ \t]+\S.*)*)$", re.MULTILINE
)
_HEADING = re.compile(r"^(?P<level>#+) +(?P<title>.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Decision:
    """A record as the law names it. `problem` is why it allows nothing, "" where it can be relied on."""

    id: str
    allows: frozenset[str] = frozenset()
    problem: str = ""


@dataclass(frozen=True)
class Decisions:
    """All records that the law names, by id."""

    by_id: Mapping[str, Decision] = field(default_factory=dict)

    def objection(self, decision: str, grant: str) -> str:
        """Why a decision does not allow a grant (`waiver W1`, `user cap 6`); "" where it does."""
        if not decision:
            return f'no decision allows "{grant}"'
        record = self.by_id.get(decision)
        if record is None:
            return f"{decision} is no decision that the law names"
        if record.problem:
            return f"{decision} {record.problem}"
        return "" if grant in record.allows else f'{decision} does not allow "{grant}"'


def section(text: str, anchor: str) -> str | None:
    """The section under the heading with this anchor (`adr-0006`), the whole document for ""; None without one."""
    if not anchor:
        return text
    headings = list(_HEADING.finditer(text))
    for index, heading in enumerate(headings):
        slug = re.sub(r"[^a-z0-9 -]", "", heading["title"].lower()).replace(" ", "-")
        if slug == anchor:
            below = headings[index + 1 :]
            level = len(heading["level"])
            end = next((each.start() for each in below if len(each["level"]) <= level), len(text))
            return text[heading.start() : end]
    return None


def digest_of(text: str) -> str:
    """The SHA-256 of a record's text; space at the ends of lines does not count."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256(lines.encode()).hexdigest()


def read_decision(name: str, path: str, digest: str, approvers: frozenset[str], root: Path) -> Decision:
    """Read one record from the documents under `root`."""
    file, _, anchor = path.partition("#")
    try:
        place = (root / file).resolve()
        text = place.read_text(encoding="utf-8") if place.is_relative_to(root.resolve()) else None
    except (OSError, UnicodeDecodeError, ValueError):
        text = None
    found = section(text, anchor) if text is not None else None
    if found is None:
        return Decision(name, problem=f"is not found at {path}")
    if digest_of(found) != digest:
        return Decision(name, problem=f"was changed since the law named it: {path} has {digest_of(found)}")
    title = found.lstrip().splitlines()[0].lstrip("# ") if found.strip() else ""
    if title != name and not title.startswith((f"{name}:", f"{name} ")):
        return Decision(name, problem=f"is not the record at {path}")
    header = {match["key"]: " ".join(match["value"].split()) for match in _HEADER.finditer(found)}
    roles = set(re.findall(r"[\w-]+", header.get("Approved by", "")))
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", header.get("Date", "")) is None:
        return Decision(name, problem=f"has no date at {path}")
    if not roles or approvers - roles:
        return Decision(name, problem=f"is not approved by {', '.join(sorted(approvers)) or 'anybody'}")
    return Decision(name, frozenset(re.findall(r"`([^`]+)`", header.get("Allows", ""))))
