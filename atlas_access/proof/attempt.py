"""Runs attempts of the catalogue and records what the server answered, and what they may have left behind.

A command is sent only where it was measured, or documented, to change nothing, and with a lock that no client waits
behind; everything else is decided by the server's own list of privileges, and recorded as such.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from atlas_access.clients import Answer, Reply, Sending, Server
from atlas_access.privileges import Privileges
from atlas_access.proof.catalogue import operation
from atlas_access.proof.evidence import Attempt
from atlas_access.proof.expectations import ADMIN, Expectations, Expected, Place, suffices
from atlas_access.proof.operation import MEASURED_MAJORS, Form, Kind, Lock, Operation, Target
from atlas_access.proof.verdict import MAX_TIME_EXPIRED, Outcome, judge

DENIED_WITHIN_MS = 5
"""The time limit of an operation that is expected to be denied: servers authorize before they wait for a lock, so a
denial comes at once, and one that is wrongly allowed makes no client wait."""

LOST = "an earlier attempt lost the connection"
LATE = "the proof's deadline had passed"


@dataclass(frozen=True, slots=True)
class Nonce:
    """A name and a UUID that exist nowhere else, for one proof's attempts."""

    token: str
    uuid: UUID


class Tried(NamedTuple):
    """An attempt, and what it may have left ("" but when the server ignored the harmless form)."""

    attempt: Attempt
    residue: str = ""
    lost: bool = False


class _Try(NamedTuple):
    """A cell to be tried, and what is sent for it."""

    cell: Expected
    row: Operation
    sending: Sending


@dataclass(frozen=True, slots=True)
class About:
    """What is known of the server and the login.

    `kinds` has the collections that could be looked up. `held` are the privileges that the server lists, `declared`
    those that it must and `permitted` all that it may list, empty where the whole list is not compared. `nonce` is
    this proof's own.
    """

    version: tuple[int, ...]
    kinds: Mapping[Place, Kind]
    held: Privileges
    declared: Privileges
    permitted: Privileges
    nonce: Nonce


def attempt_all(
    server: Server,
    cells: Sequence[Expected],
    expected: Expectations,
    about: About,
    left: Callable[[], float],
) -> list[Tried]:
    """Try cells of the table ahead of their answers, in the order given, for as long as `left()` (seconds) is positive.

    A cell that cannot be tried harmlessly on this server is decided by the server's list.
    """
    prepared = [_prepared(cell, expected, about) for cell in cells]
    found = _asked(server, prepared, expected, left)
    again = [number for number, tried in enumerate(found) if tried.attempt.code == MAX_TIME_EXPIRED]
    if again and not any(tried.lost for tried in found):
        # A busy server may take longer than the limit to deny; twice in a row it was authorized.
        for number, tried in zip(
            again, _asked(server, [prepared[each] for each in again], expected, left), strict=True
        ):
            found[number] = tried
    return found


def _asked(
    server: Server, prepared: Sequence[_Try | Tried], expected: Expectations, left: Callable[[], float]
) -> list[Tried]:
    # Transactions last and together, because they are sent apart from everything else.
    sent = sorted(
        (each for each in prepared if isinstance(each, _Try)), key=lambda each: each.sending.in_transaction
    )
    replies = server.commands([each.sending for each in sent], left) if sent else ()
    answered = {id(each): _tried(each, reply, expected) for each, reply in zip(sent, replies, strict=False)}
    found: list[Tried] = []
    for each in prepared:
        if isinstance(each, Tried):
            found.append(each)
        elif id(each) in answered:
            found.append(answered[id(each)])
        else:
            found.append(Tried(unanswered(each.cell, LATE if left() <= 0 else LOST), lost=True))
    return found


def _prepared(cell: Expected, expected: Expectations, about: About) -> _Try | Tried:
    row = operation(cell.operation)
    source = expected.source_for(cell.place)
    if (wanted := _wanted(cell, row, about, source)) is not cell.outcome:
        cell = cell._replace(outcome=wanted)
    if row.command is None or (why := not_tried(row, cell, about)):
        return Tried(_decided(cell, row, about, source, why if row.command else ""))
    target = Target(
        cell.place.database or ADMIN, cell.place.collection, source, about.nonce.token, about.nonce.uuid
    )
    command = row.command(target)
    if cell.outcome is Outcome.DENIED:
        command = {**command, "maxTimeMS": DENIED_WITHIN_MS}
    database = ADMIN if row.on_admin else target.database
    return _Try(cell, row, Sending(database, command, row.form is Form.ABORTED_TRANSACTION))


def not_tried(row: Operation, cell: Expected, about: About) -> str:
    """Why an operation is not tried on a namespace of this server, "" when it is."""
    major = about.version[0] if about.version else 0
    if row.since > major:
        return f"MongoDB has it from {row.since}.0 on"
    if not row.form.documented and major not in MEASURED_MAJORS:
        return f"its form was not measured on MongoDB {major}"
    if row.unsafe and about.kinds.get(cell.place) in (None, *row.unsafe):
        return "its form is not harmless on every kind of collection"
    if row.makes and about.kinds.get(cell.place) is Kind.ABSENT and cell.outcome is Outcome.ALLOWED:
        return "it would make the collection, and take it back"
    if row.lock is Lock.EXCLUSIVE and cell.outcome is Outcome.ALLOWED:
        return "clients would wait for it"
    return ""


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
    return Tried(made, _residue(each, answer), lost=answer.failure is not None)


def unanswered(cell: Expected, why: str) -> Attempt:
    """Record a cell that was not tried."""
    return Attempt(cell.operation, str(cell.place), cell.outcome, Outcome.INCONCLUSIVE, why=why, tried=False)


def _decided(cell: Expected, row: Operation, about: About, source: str, why: str) -> Attempt:
    """By the server's own list."""
    found = Outcome.ALLOWED if suffices(about.held, row, cell.place, source) else Outcome.DENIED
    text = f"{Form.EQUALITY}: {why}" if why else str(Form.EQUALITY)
    return Attempt(cell.operation, str(cell.place), cell.outcome, found, why=text, tried=False)


def _wanted(cell: Expected, row: Operation, about: About, source: str) -> Outcome:
    """What is expected on this server: what its version may add is expected as it lists it."""

    def allows(held: Privileges) -> bool:
        return suffices(held, row, cell.place, source)

    if not about.declared or (cell.outcome is Outcome.ALLOWED and not row.since):
        return cell.outcome
    if allows(about.held) and allows(about.permitted):
        return Outcome.ALLOWED
    return Outcome.ALLOWED if row.since and allows(about.declared) else Outcome.DENIED


def _residue(each: _Try, answer: Answer) -> str:
    """Say what a command left that went through, in part or whole, although its random UUID should have stopped it.

    Servers count a write on a time series that they refused.
    """
    if each.row.form is not Form.RANDOM_UUID or not (answer.ok or answer.written > len(answer.write_codes)):
        return ""
    command, place = each.sending.command, each.cell.place
    name = next(iter(command))
    undo = {
        "createIndexes": f"drop the index {_index(command)}",
        "insert": 'erase the rows with "_probe": true',
    }.get(name, f"compare {place} with a backup")
    return f"{each.row.name} on {place} was carried out: {undo}"


def _index(command: Mapping[str, object]) -> str:
    """The name of the index that a createIndexes command would make."""
    indexes = command.get("indexes")
    return str(indexes[0]["name"]) if isinstance(indexes, list) else ""
