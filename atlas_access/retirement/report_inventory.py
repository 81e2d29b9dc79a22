"""The legacy estate for people and machines: text, Markdown and JSON with the same facts, the answer first.

It must never let a foreign name change the form of what is shown, or leave an unknown thing out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from atlas_access.base import Status, Unread, plain
from atlas_access.drift import counted, listed, moment
from atlas_access.retirement.inventory import (
    Belongs,
    LegacyEstate,
    RoleRow,
    SecretRow,
    Standing,
    Use,
    UserRow,
)

_WORDS = {Status.GOOD: "AS DECLARED", Status.BAD: "DIFFERS", Status.UNKNOWN: "UNKNOWN"}
_SHOWN = 3


def headline(estate: LegacyEstate) -> str:
    """The answer in one line."""
    left = counted(len(estate.left), "legacy user")
    told = f"{_WORDS[estate.status]}  {estate.stack}: {left} left of "
    told += str(sum(row.belongs is Belongs.LEGACY for row in estate.users))
    if any(part.what == "database users" for part in estate.unread):
        told = f"{_WORDS[estate.status]}  {estate.stack}: the database users could not be read"
    more = [counted(len(estate.surprises), "surprise")] if estate.surprises else []
    more += [f"{counted(len(estate.unread), 'part')} unread"] if estate.unread else []
    return "; ".join([told, *more])


def text(estate: LegacyEstate) -> str:
    """Lines for a terminal, ending in a newline."""
    return "\n".join(_printable(line) for line in _lines(estate)) + "\n"


def markdown(estate: LegacyEstate) -> str:
    """A page with a table a kind, ending in a newline."""
    lines = [f"# {plain(headline(estate))}", ""]
    for title, heads, rows in _tables(estate):
        lines += [f"## {title}", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        lines += [f"| {' | '.join(plain(cell) or ' ' for cell in row)} |" for row in rows]
        lines.append("")
    lines += [f"- **Surprise:** {plain(each)}" for each in estate.surprises]
    lines += [f"- **Could not be read:** {plain(str(each))}" for each in estate.unread]
    return "\n".join(lines).rstrip("\n") + "\n"


def as_json(estate: LegacyEstate) -> str:
    """The same facts for a machine; keys are stable."""
    return json.dumps(
        {
            "stack": estate.stack,
            "answer": estate.status.value,
            "retired": estate.retired,
            "left": list(estate.left),
            "surprises": list(estate.surprises),
            "unread": [{"what": each.what, "why": each.why} for each in estate.unread],
            "logins_since": _iso(estate.login_since),
            "users": [_user(row) for row in estate.users],
            "roles": [
                {
                    "name": row.name,
                    "belongs": row.belongs.value,
                    "standing": row.standing.value,
                    "holders": list(row.holders),
                }
                for row in estate.roles
            ],
            "secrets": [
                {
                    "name": row.name,
                    "environment": row.environment,
                    "belongs": row.belongs.value,
                    "standing": row.standing.value,
                    "user": row.user or None,
                    "deleted_at": _iso(row.deleted_at),
                    "bound": [_use(each) for each in row.uses],
                }
                for row in estate.secrets
            ],
        },
        indent=2,
    )


def _lines(estate: LegacyEstate) -> Iterator[str]:
    yield headline(estate)
    for title, heads, rows in _tables(estate):
        yield ""
        yield title
        every = [heads, *rows]
        widths = [max(len(row[column]) for row in every) for column in range(len(heads))]
        for row in every:
            yield (
                "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            )
    if estate.surprises or estate.unread:
        yield ""
    for each in estate.surprises:
        yield f"  Surprise: {each}"
    for part in estate.unread:
        yield f"  Could not be read: {part}"


def _tables(estate: LegacyEstate) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    since = estate.login_since
    yield (
        "Users",
        ("user", "is", "stands", "holds", "successor", "last login", "bound by"),
        [
            (
                row.name, row.belongs.value, row.standing.value, ", ".join(row.held), row.successor,
                _login(row, since), _uses(row.uses),
            )
            for row in estate.users
        ],
    )  # fmt: skip
    yield "Custom roles", ("role", "is", "stands", "held by"), [_role(row) for row in estate.roles]
    yield "Secrets", ("secret", "is", "stands", "user", "bound by"), [_secret(row) for row in estate.secrets]


def _role(row: RoleRow) -> tuple[str, ...]:
    return row.name, row.belongs.value, row.standing.value, listed(row.holders, _SHOWN)


def _secret(row: SecretRow) -> tuple[str, ...]:
    stands = row.standing.value
    if row.standing is Standing.ELSEWHERE:
        stands = f"in {row.environment}'s account"
    elif row.deleted_at is not None:
        stands = f"{stands} (DeletedDate {moment(row.deleted_at)})"
    return row.name, row.belongs.value, stands, row.user, _uses(row.uses)


def _uses(uses: Iterable[Use]) -> str:
    """What runs by name, idle revisions counted: a family can have hundreds."""
    every = list(uses)
    running = [str(use) for use in every if use.running]
    idle = len(every) - len(running)
    return "; ".join([*([listed(running, _SHOWN)] if running else []), *([f"{idle} idle"] if idle else [])])


def _login(row: UserRow, since: datetime | None) -> str:
    if isinstance(row.login, Unread):
        return "unknown"
    if row.login is not None:
        return moment(row.login)
    return f"none since {moment(since)}" if since is not None else "unknown"


def _user(row: UserRow) -> dict[str, object]:
    unread = isinstance(row.login, Unread)
    return {
        "name": row.name,
        "belongs": row.belongs.value,
        "standing": row.standing.value,
        "held": list(row.held),
        "declared": row.declared or None,
        "successor": row.successor or None,
        "secrets": list(row.secrets),
        "last_login": None if isinstance(row.login, Unread) else _iso(row.login),
        "last_login_known": not unread,
        "bound": [_use(each) for each in row.uses],
    }


def _use(use: Use) -> dict[str, object]:
    return {
        "environment": use.environment,
        "revision": use.revision,
        "variable": use.variable,
        "running": use.running,
        "active": use.active,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in line)
