"""Runs attempts of the catalogue and records what the server answered, and what they may have left behind.

It must never send a command in another form than the catalogue's, and never ask again for an answer that says
anything about privileges: only a transaction that lost a race for a lock is tried again, a few times.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from atlas_access.clients import Answer, Reply, Sending, Server
from atlas_access.privileges import Privileges
from atlas_access.proof.catalogue import operation
from atlas_access.proof.evidence import Attempt
from atlas_access.proof.expectations import ADMIN, Expectations, Expected, suffices
from atlas_access.proof.operation import Form, Operation, Target
from atlas_access.proof.verdict import Outcome, judge

UUID_SINCE = (6, 0)
LOST_RACES = frozenset({24, 112})
"""LockTimeout and WriteConflict: a transaction waits 5 ms for a lock that another client may hold (MongoDB manual)."""

LOST = "an earlier attempt lost the connection"
LATE = "the proof's deadline had passed"
_PAUSES = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)


@dataclass(frozen=True, slots=True)
class Marks:
    """What marks one proof's attempts: a name and a UUID that exist nowhere else."""

    token: str
    uuid: UUID


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt, and how many traces it may have left (0 but when the server ignored the harmless form)."""

    attempt: Attempt
    residue: int = 0
    lost: bool = False


@dataclass(frozen=True, slots=True)
class _Try:
    """A cell to be tried, and what is sent for it."""

    cell: Expected
    row: Operation
    sending: Sending


def attempt_all(
    server: Server,
    cells: Sequence[Expected],
    expected: Expectations,
    held: Privileges,
    marks: Marks,
    version: tuple[int, ...],
    left: Callable[[], float],
) -> list[Tried]:
    """Try cells of the table ahead of their answers, in the order given, for as long as `left()` (seconds) is positive.

    A cell without a harmless form on this server is decided by equality.
    """
    prepared = [_prepared(cell, expected, held, marks, version) for cell in cells]
    sendings = [each.sending for each in prepared if isinstance(each, _Try)]
    replies = iter(server.commands(sendings, left) if sendings else ())
    found: list[Tried] = []
    for each in prepared:
        if isinstance(each, Tried):
            found.append(each)
        elif (reply := next(replies, None)) is None:
            found.append(Tried(unanswered(each.cell, LATE if left() <= 0 else LOST), lost=True))
        else:
            found.append(_tried(each, reply, expected))
    if any(tried.lost for tried in found):
        return found
    return [
        _again(server, each, tried, expected, left) if isinstance(each, _Try) else tried
        for each, tried in zip(prepared, found, strict=True)
    ]


def _prepared(
    cell: Expected, expected: Expectations, held: Privileges, marks: Marks, version: tuple[int, ...]
) -> _Try | Tried:
    row = operation(cell.operation)
    source = expected.source_for(cell.place)
    if row.command is None:
        return Tried(_decided(cell, row, held, source))
    if row.form is Form.RANDOM_UUID and version < UUID_SINCE:
        return Tried(unanswered(cell, "servers before 6.0 do not know collectionUUID"))
    target = Target(cell.place.database or ADMIN, cell.place.collection, source, marks.token, marks.uuid)
    database = ADMIN if row.on_admin else target.database
    in_transaction = row.form is Form.ABORTED_TRANSACTION
    return _Try(cell, row, Sending(database, row.command(target), in_transaction))


def _tried(each: _Try, reply: Reply, expected: Expectations) -> Tried:
    cell, answer = each.cell, reply.answer
    judgement = judge(each.row, answer, may_be_absent=expected.may_be_absent(cell.place))
    made = Attempt(
        cell.operation,
        str(cell.place),
        cell.outcome,
        judgement.outcome,
        judgement.code,
        answer.code_name,
        round(reply.ms, 2),
        judgement.why,
    )
    return Tried(made, _residue(each.row, answer), lost=answer.failure is not None)


def _again(
    server: Server, each: _Try, tried: Tried, expected: Expectations, left: Callable[[], float]
) -> Tried:
    """The same, after a transaction that lost a race for a lock was tried again."""
    sending = each.sending
    for pause in _PAUSES:
        raced = sending.in_transaction and tried.attempt.code in LOST_RACES
        if not raced or tried.lost or left() <= pause:
            break
        time.sleep(pause)
        for reply in server.commands([sending], left):
            tried = _tried(each, reply, expected)
    return tried


def unanswered(cell: Expected, why: str) -> Attempt:
    """Record a cell that was not tried."""
    return Attempt(cell.operation, str(cell.place), cell.outcome, Outcome.INCONCLUSIVE, why=why)


def _decided(cell: Expected, row: Operation, held: Privileges, source: str) -> Attempt:
    outcome = Outcome.ALLOWED if suffices(held, row, cell.place, source) else Outcome.DENIED
    return Attempt(cell.operation, str(cell.place), cell.outcome, outcome, why=Form.EQUALITY)


def _residue(row: Operation, answer: Answer) -> int:
    """Count a command that went through, in part or whole, although its random UUID should have stopped it."""
    if row.form is not Form.RANDOM_UUID:
        return 0
    return max(1, answer.written) if answer.ok else answer.written
