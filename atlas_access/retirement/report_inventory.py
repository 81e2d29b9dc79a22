"""The legacy inventory as a report: users, roles and secrets against access.yaml, and who binds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from atlas_access.base import Finding, Report, Section, Status, Table, Unread
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

_LABELS = {Status.GOOD: "AS DECLARED", Status.BAD: "DIFFERS", Status.UNKNOWN: "UNKNOWN"}
_SHOWN = 3


def inventory_report(estate: LegacyEstate) -> Report:
    """A table for each kind, then what differs and what could not be read; the JSON has the rows as records."""
    surprises = [Finding(Status.BAD, "", each) for each in estate.surprises]
    unread = [Finding(Status.UNKNOWN, each.what, f"could not be read: {each.why}") for each in estate.unread]
    return Report(
        name=f"legacy {estate.stack}",
        status=estate.status,
        label=_LABELS[estate.status],
        summary=_summary(estate),
        sections=(
            Section("Users", table=Table(_USER_HEADS, tuple(_user(row, estate) for row in estate.users))),
            Section("Custom roles", table=Table(_ROLE_HEADS, tuple(map(_role, estate.roles)))),
            Section("Secrets", table=Table(_SECRET_HEADS, tuple(map(_secret, estate.secrets)))),
            *([Section("Differs or unknown", findings=(*surprises, *unread))] if surprises or unread else []),
        ),
        data={**asdict(estate), "left": estate.left, "surprises": estate.surprises},
        source="access.yaml",
    )


_USER_HEADS = ("user", "is", "state", "holds", "successor", "last login", "bound by")
_ROLE_HEADS = ("role", "is", "state", "held by")
_SECRET_HEADS = ("secret", "is", "state", "user", "bound by")


def _summary(estate: LegacyEstate) -> str:
    legacy = sum(row.belongs is Belongs.LEGACY for row in estate.users)
    left = f"{counted(len(estate.left), 'legacy user')} left of {legacy}"
    if any(part.what == "database users" for part in estate.unread):
        left = "the database users could not be read"
    more = [counted(len(estate.surprises), "surprise")] if estate.surprises else []
    more += [f"{counted(len(estate.unread), 'part')} unread"] if estate.unread else []
    return "; ".join([f"{estate.stack}: {left}", *more])


def _user(row: UserRow, estate: LegacyEstate) -> tuple[str, ...]:
    held, uses = ", ".join(row.held), _uses(row.uses)
    login = _login(row, estate.login_since)
    return row.name, row.belongs.value, row.standing.value, held, row.successor, login, uses


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
