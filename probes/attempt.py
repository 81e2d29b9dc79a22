"""Runs one attempt of the catalogue and records what the server answered, and what it may have left behind.

It must never send a command in another form than the catalogue's, and never ask again for an answer that says
anything about privileges: only a transaction that lost a race for a lock is tried again, a few times.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from access.catalogue import operation
from access.evidence import Attempt
from access.expectations import ADMIN, Expectations, Expected, suffices
from access.operation import Form, Operation, Target
from access.privileges import Privileges
from access.verdict import Answer, Outcome, judge
from probes.mongo import Reply, Server

UUID_SINCE = (6, 0)
LOST_RACES = frozenset({24, 112})
"""LockTimeout and WriteConflict: a transaction waits 5 ms for a lock that another client may hold (MongoDB manual)."""

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


def attempt(
    server: Server,
    cell: Expected,
    expected: Expectations,
    held: Privileges,
    marks: Marks,
    version: tuple[int, ...],
) -> Tried:
    """Try one cell of the table, or decide it by equality when it has no harmless form on this server."""
    row = operation(cell.operation)
    source = expected.source_for(cell.place)
    if row.command is None:
        return Tried(_decided(cell, row, held, source))
    if row.form is Form.RANDOM_UUID and version < UUID_SINCE:
        return Tried(unanswered(cell, "servers before 6.0 do not know collectionUUID"))
    target = Target(cell.place.database or ADMIN, cell.place.collection, source, marks.token, marks.uuid)
    database = ADMIN if row.on_admin else target.database
    in_transaction = row.form is Form.ABORTED_TRANSACTION
    reply = _sent(server, database, row.command(target), in_transaction=in_transaction)
    judgement = judge(row, reply.answer, may_be_absent=expected.may_be_absent(cell.place))
    made = Attempt(
        cell.operation,
        str(cell.place),
        cell.outcome,
        judgement.outcome,
        judgement.code,
        reply.answer.code_name,
        round(reply.ms, 2),
        judgement.why,
    )
    return Tried(made, _residue(row, reply.answer), lost=reply.answer.failure is not None)


def _sent(server: Server, database: str, command: Mapping[str, object], *, in_transaction: bool) -> Reply:
    reply = server.command(database, command, in_transaction=in_transaction)
    for pause in _PAUSES:
        if not in_transaction or reply.answer.code not in LOST_RACES:
            break
        time.sleep(pause)
        reply = server.command(database, command, in_transaction=in_transaction)
    return reply


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
