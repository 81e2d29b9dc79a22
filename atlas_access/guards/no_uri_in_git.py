"""Guard *no-uri-in-git*: no connection string with a password stands in a tracked file, or ever did in the history.

Pure. A password that is visibly a stand-in, or hosts that can never exist (RFC 2606, RFC 6761), are no credential; a
host that is put in at run time is one, for the password is real. It sees no string that is folded over lines or put
together from variables. A finding names the user at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from atlas_access.base import Finding
from atlas_access.guards.finding import Guard, Report, report, wrong
from atlas_access.guards.source import SourceFile
from atlas_access.guards.written_forms import forms

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
        wrong(file.path, line, f"a connection string with the password of {user}", _REMEDY)
        for file in files
        for line, user in credentials_in(file.text)
    ]
    observed: set[tuple[str, str]] = set()
    for each in history:
        for _, user in credentials_in(each.text):
            if (each.path, user) not in observed:
                observed.add((each.path, user))
                findings.append(
                    wrong(
                        f"{each.path}@{each.commit[:12]}", 0,
                        f"a connection string with the password of {user} was committed", _REMEDY,
                    )
                )  # fmt: skip
    return report(Guard.NO_URI_IN_GIT, count, findings, notes)


def credentials_in(text: str) -> Iterator[tuple[int, str]]:
    """Line and user of every connection string that holds a password."""
    for start, plain in forms(text):
        match = _CREDENTIAL.match(plain)
        if match is None:
            continue
        more, at, hosts = match["host"].rpartition("@")
        if _is_real(match["password"] + at + more) and not _is_nowhere(hosts):
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
