"""The legacy inventory as a report: users, roles and secrets against access.yaml, and who binds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from atlas_access.base import Finding, Report, Section, Status, Table, Unread
from atlas_access.drift import counted, listed, moment
from atlas_access.retirement.inventory import (
    Belongs,
    LegacyInventory,
    RoleRow,
    SecretRow,
    Standing,
    Use,
    UserRow,
)

_LABELS = {Status.GOOD: "AS DECLARED", Status.BAD: "DIFFERS", Status.UNKNOWN: "UNKNOWN"}
_SHOWN = 3


def inventory_report(inventory: LegacyInventory) -> Report:
    """A table for each kind, then what differs and what could not be read; the JSON has the rows as records."""
    surprises = [Finding(Status.BAD, "", each) for each in inventory.surprises]
    unread = [
        Finding(Status.UNKNOWN, each.what, f"could not be read: {each.why}") for each in inventory.unread
    ]
    return Report(
        name=f"legacy {inventory.stack}",
        status=inventory.status,
        label=_LABELS[inventory.status],
        summary=_summary(inventory),
        sections=(
            Section(
                "Users", table=Table(_USER_HEADS, tuple(_user(row, inventory) for row in inventory.users))
            ),
            Section("Custom roles", table=Table(_ROLE_HEADS, tuple(map(_role, inventory.roles)))),
            Section("Secrets", table=Table(_SECRET_HEADS, tuple(map(_secret, inventory.secrets)))),
            *([Section("Differs or unknown", findings=(*surprises, *unread))] if surprises or unread else []),
        ),
        data={**asdict(inventory), "left": inventory.left, "surprises": inventory.surprises},
        source="access.yaml",
    )


_USER_HEADS = ("user", "is", "state", "holds", "successor", "last login", "bound by")
_ROLE_HEADS = ("role", "is", "state", "held by")
_SECRET_HEADS = ("secret", "is", "state", "user", "bound by")


def _summary(inventory: LegacyInventory) -> str:
    legacy = sum(row.belongs is Belongs.LEGACY for row in inventory.users)
    left = f"{counted(len(inventory.left), 'legacy user')} left of {legacy}"
    if any(part.what == "database users" for part in inventory.unread):
        left = "the database users could not be read"
    more = [counted(len(inventory.surprises), "surprise")] if inventory.surprises else []
    more += [f"{counted(len(inventory.unread), 'part')} unread"] if inventory.unread else []
    return "; ".join([f"{inventory.stack}: {left}", *more])


def _user(row: UserRow, inventory: LegacyInventory) -> tuple[str, ...]:
    held, uses = ", ".join(row.held), _uses(row.uses)
    login = _login(row, inventory.login_since)
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
