"""Guard *no-uri-in-git*: no connection string with a password, no password and no Atlas key is tracked, or ever was.

Pure. A password that is visibly a stand-in, or hosts that can never exist (RFC 2606, RFC 6761), are no credential; a
host that is put in at run time is one, for the password is real. What is put together from variables is not seen. A
finding names the user at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from atlas_access.base import Finding
from atlas_access.code import SourceFile
from atlas_access.guards.finding import Guard, Report, report, wrong
from atlas_access.guards.written_forms import forms

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

_CREDENTIAL = re.compile(
    r"(?i:mongodb(?:\+srv)?):(?:\\{0,4}/){2}(?P<user>[^\s:@/\"'`]{1,200}):(?![0-9]{1,5}[/?,#])"
    r"(?P<password>(?:[^\s\"'`@]|(?<=\w)[\"'`](?=\w)){1,400})@"
    r"(?P<host>(?:[^\s\"'`/?,;)\]}\\%]|,(?=[\w\[$<{])){0,300})"
)
_TEMPLATE = re.compile(
    r"\$\{[^}]*\}?|\$\([^)]*\)?|#\{[^}]*\}?|\{\{.*?(?:\}\}|$)|^%\([^)]*\)s?|^\$[A-Za-z_]\w*$"
)
"""What stands for a value that is put in at run time, in the string as it is written."""

_DEFAULT = re.compile(r"\$\{\w+:?[-=]([^}]*)\}")
_BRACKETED = re.compile(r"^\{.*\}$|^\[.*\]$|\[\^")
_STAND_IN = re.compile(
    r"(?ix) ^<.*>$ | ^[*•]+$ | ^x+$ | ^\.{2,}$ | ^…$"
    r" | ^(?:your|my|the|some|new|old|db|mongo|user|app|test|fake|dummy|example)?[-_]?"
    r"(?:password|passwd|pass|pwd|pw|secret|redacted|placeholder|changeme)(?:here)?$"
)
_NOWHERE = re.compile(
    r"(?i)(?:^|\.)(?:example|invalid|test|example\.(?:com|net|org))\.?(?::[0-9]+)?$"
    r"|^(?:<.*|hosts?|hosts?name|cluster|…|\.{3})$"
)
_SPEAKS = re.compile(r"(?i)mongo|atlas|mcli_")
_KEYWORD = re.compile(r"(?i)pass|pwd|secret|key|--user\b|-p\b|digest")
_OTHERS = re.compile(
    r"(?i)postgres|mysql|redis|rabbit|smtp|aws_|crm|access_token|stripe|jwt|session|cookie|sha(?:256|512)-|integrity"
)
"""What is no password of MongoDB's by the line's own words."""

_ASSIGNED = re.compile(
    r"""(?ix) (?:pass|password|passwd|pwd|(?:private|public)?_?(?:api_?)?key)s?["']?\s*(?:[:=]\s*\[?|\s)\s*
              (?:"([^"\s]+)" | '([^'\s]+)' | `([^`\s]+)`)
    | (?:\s-p|--password)[ =]*["']?([^\s"'$]+) | (?:pass|password|pwd|api_key|_key)=([^\s"'$,;]+)
    | (?:pass|password|pwd|api_key|_key)\s+([^\s"'$,;]+)\s*$ | password["']\s+value=["']([^"'\s]+)
    | name:\s*\S*pass\w*;\s*value:\s*["']?([^\s"']+)"""
)
_API = re.compile(r"(?i)(?:private|api)[_-]?key")
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PAIR = re.compile(r"\b[a-z]{8}:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_LONGEST_LINE = 2000
_NEAR = 6
"""Lines around a password within which MongoDB is named."""

_REMEDY = "Rotate this password now (docs/runbooks/rotate.md): whoever can read the repository has it. Then remove it."


SHORTEST = 8
"""Atlas accepts no shorter password: what is shorter stands for one."""


@dataclass(frozen=True)
class HistoryLine:
    """A line that a commit added: which commit, which file, and its text."""

    commit: str
    path: str
    text: str


def check(
    files: Iterable[SourceFile],
    history: Iterable[HistoryLine] = (),
    notes: Iterable[Finding] = (),
    count: int = 0,
) -> Report:
    """Find connection strings with passwords in tracked files, and in the lines that `history` added."""
    findings = [
        wrong(file.path, line, what, _REMEDY)
        for file in files
        if file.speaks
        for line, what in secrets_in(file.text)
    ]
    observed: set[tuple[str, str]] = set()
    for each in history:
        for _, what in secrets_in(each.text):
            if (each.path, what) not in observed:
                observed.add((each.path, what))
                place = f"{each.path}@{each.commit[:12]}"
                findings.append(wrong(place, 0, f"{what} was committed", _REMEDY))
    return report(Guard.NO_URI_IN_GIT, count, findings, notes)


def secrets_in(text: str) -> Iterator[tuple[int, str]]:
    """Line and description of everything that opens a database or Atlas."""
    lines = set()
    for line, user in credentials_in(text):
        lines.add(line)
        yield line, f"a connection string with the password of {user}"
    yield from ((line, what) for line, what in _passwords_in(text) if line not in lines)


def _passwords_in(text: str) -> Iterator[tuple[int, str]]:
    """Passwords and Atlas keys without a connection string, in a text that speaks of MongoDB or Atlas."""
    if not _SPEAKS.search(text):
        return
    detector: BasePlugin | None = None
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if not _KEYWORD.search(line) or _OTHERS.search(line) or len(line) > _LONGEST_LINE:
            continue
        if not _SPEAKS.search("\n".join(lines[max(0, number - _NEAR) : number + _NEAR])):
            continue
        if detector is None:
            from detect_secrets.plugins.keyword import KeywordDetector

            detector = KeywordDetector()
        found = detector.analyze_line(filename="a.yaml", line=line, line_number=number)
        values = [each.secret_value or "" for each in found]
        both = f"{line.strip()};{lines[number].strip()}" if "name:" in line and number < len(lines) else line
        values += [next(filter(None, match.groups())) for match in _ASSIGNED.finditer(both)]
        if (_API.search(line) and any(_KEY.fullmatch(each) for each in values)) or _PAIR.search(line):
            yield number, "an API key of Atlas"
        elif any(_is_real(each) and _looks_made(each) for each in values):
            yield number, "a password"


def _looks_made(value: str) -> bool:
    """Whether a value looks like a password, not like a word, a name or an expression."""
    kinds = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9_\-./]")
    plain = re.fullmatch(r"[A-Za-z0-9!@#$%^&*+=_~.-]{8,200}", value) is not None
    name = re.search(r"^[$%@]|[$]\{|\.\w+\(|^[a-z_]+(?:[._][a-z_]+)+$|^/", value) is not None
    return plain and not name and sum(re.search(kind, value) is not None for kind in kinds) > 2


def credentials_in(text: str) -> Iterator[tuple[int, str]]:
    """Line and user of every connection string that holds a password."""
    observed = set()
    for start, plain in forms(text):
        match = _CREDENTIAL.match(plain)
        if match is None or start in observed:
            continue
        more, at, hosts = match["host"].rpartition("@")
        if _is_real(match["password"] + at + more) and not _is_nowhere(hosts):
            observed.add(start)
            yield text.count("\n", 0, start) + 1, _plain(unquote(match["user"]))


def _is_real(password: str) -> bool:
    """Whether a password, as the string writes it, is one and no stand-in."""
    password = _DEFAULT.sub(r"\1", password)  # what `${NAME:-default}` holds when nothing is put in
    fixed = _TEMPLATE.sub("", password)
    if fixed != password and len(fixed) < SHORTEST:
        return False
    value = unquote(password)
    return len(value) >= SHORTEST and not _BRACKETED.search(password) and not _STAND_IN.search(value)


def _is_nowhere(hosts: str) -> bool:
    return all(_NOWHERE.search(unquote(host)) for host in hosts.split(","))


def _plain(user: str) -> str:
    return user if re.fullmatch(r"[\w.@-]{1,64}", user) else "a user"
