"""Guard *no-uri-in-git*: no connection string with a password stands in a tracked file, or ever did in the history.

Pure. A password that is visibly a stand-in, or a host that can never exist (RFC 2606, RFC 6761), is no credential. It
must never repeat the string: a finding names the user at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from guards.finding import Finding, Guard, Note, Report, report
from guards.source import SourceFile

_HOST = r"(?P<host>[^\s\"'`/?,;)\]}\\%]{1,300})"
_PLAIN = re.compile(
    r"(?i:mongodb(?:\+srv)?):(?:\\{0,4}/){2}"
    r"(?P<user>[^\s:@/\"'`<>]{1,200}):(?P<password>[^\s\"'`@]{1,400})@" + _HOST
)
_COLON = r"%(?:25)*3[aA]"
_ENCODED = re.compile(
    rf"(?i:mongodb(?:%(?:25)*2bsrv|\+srv)?){_COLON}(?:%(?:25)*2[fF]){{2}}"
    rf"(?P<user>(?:(?!{_COLON})[^\s@/\"'`<>]){{1,200}}){_COLON}"
    r"(?P<password>[^\s\"'`@]{1,400}?)%(?:25)*40" + _HOST
)
_STAND_IN = re.compile(
    r"(?ix) ^<.*>$ | \$\{?\w | ^\{.*\}$ | \{\{ | ^\*+$ | ^x+$ | ^\.{2,}$ | ^…$ | ^%[sv(] | \#\{ | \$\( | ^\[.*\]$"
    r" | ^(?:your|my|the|some|new|old|db|mongo|user|app|test|fake|dummy|example)?[-_]?"
    r"(?:password|passwd|pass|pwd|pw|secret|redacted|placeholder|changeme)(?:here)?$"
)
_NOWHERE = re.compile(
    r"(?i)(?:^|\.)(?:example|invalid|test|example\.(?:com|net|org))\.?(?::[0-9]+)?$"
    r"|^(?:<.*|\$.*|\{.*|hosts?|hosts?name|cluster|…|\.{3})$"
)
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
    notes: Iterable[Note] = (),
    count: int = 0,
) -> Report:
    """Find connection strings with passwords in tracked files, and in the lines that `history` added."""
    findings = [
        Finding(file.path, line, f"a connection string with the password of {user}", _REMEDY)
        for file in files
        for line, user in credentials_in(file.text)
    ]
    seen: set[tuple[str, str]] = set()
    for each in history:
        for _, user in credentials_in(each.text):
            if (each.path, user) not in seen:
                seen.add((each.path, user))
                findings.append(
                    Finding(
                        f"{each.path}@{each.commit[:12]}", 0,
                        f"a connection string with the password of {user} was committed", _REMEDY,
                    )
                )  # fmt: skip
    return report(Guard.NO_URI_IN_GIT, count, findings, notes)


def credentials_in(text: str) -> Iterator[tuple[int, str]]:
    """Line and user of every connection string that holds a password."""
    lowered = text.lower()
    if "mongodb" not in lowered:
        return
    for pattern in (_PLAIN, _ENCODED):
        for match in pattern.finditer(text):
            password, host = unquote(match["password"]), unquote(match["host"])
            if len(password) < SHORTEST or _STAND_IN.search(password) or _NOWHERE.search(host):
                continue
            yield text.count("\n", 0, match.start()) + 1, _plain(unquote(match["user"]))


def _plain(user: str) -> str:
    return user if re.fullmatch(r"[\w.@-]{1,64}", user) else "a user"
