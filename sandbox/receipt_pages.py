"""Renders a receipt as a one-page HTML document, Markdown and terminal lines."""

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from atlas_access.base import Format, Report, Section, Status, Table, render
from atlas_access.review import Deployment, summary_line
from sandbox.receipt import Chapter, Receipt, Release


def render_html(receipt: Receipt) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader("sandbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("receipt.html.j2").render(
        receipt=receipt, rows=rows(receipt), chapters=long_ones(receipt)
    )


def render_markdown(receipt: Receipt) -> str:
    """The same as Markdown; ends in a newline."""
    load = receipt.load
    users = (
        Section(
            f"Users of the {cluster} cluster: {receipt.count(cluster)}",
            table=Table(
                ("user", "before", "after", ""),
                tuple(
                    (user.name, user.role_before or "-", user.role_after or "-", user.fate)
                    for user in receipt.users(cluster)
                ),
            ),
        )
        for cluster in receipt.clusters
    )
    done = tuple(
        (
            each.stack,
            each.phase,
            each.changes,
            f"{each.seconds:.1f} s",
            f"FAILED {each.outcome}" if each.failed else each.outcome,
        )
        for each in rows(receipt)
    )
    gates = tuple(
        (
            each.stack,
            each.moment,
            each.revision,
            str(each.rounds),
            each.summary if each.green else f"NOT GREEN: {each.summary}",
        )
        for each in receipt.gates
    )
    requests = Section("Requests meanwhile", ("No load was put on the services.",))
    if load is not None:
        counts = tuple(
            (each.environment, each.question, str(each.asked), str(each.failed), str(each.wrong))
            for each in load.tallies
        )
        requests = Section(
            "Requests meanwhile",
            (f"{load}; {load.rate:.0f} due a second for each environment.", *map(str, load.faults[:10])),
            Table(("environment", "endpoint", "asked", "failed", "wrong"), counts),
        )
    sections = (
        Section(lines=(f"{receipt.sandbox}. {receipt.made_at}, {receipt.seconds:.0f} s.", *receipt.notes)),
        *users,
        Section("What was done", table=Table(("stack", "phase", "changes", "time", ""), done)),
        Section("Gates", table=Table(("stack", "when", "answered by", "green rounds", ""), gates)),
        requests,
        Section("Known and accepted", tuple(f"{each.id} ({each.adr}): {each}" for each in receipt.accepted)),
        Section("Time", tuple(f"{each.title}: {each.seconds:.1f} s" for each in long_ones(receipt))),
    )
    status = Status.GOOD if receipt.done else Status.BAD
    return render(Report("receipt", status, "Receipt of a migration:", receipt.headline, sections), Format.MD)


@dataclass(frozen=True)
class Row:
    """A row of what was done, for the page."""

    stack: str
    phase: str
    changes: str
    seconds: float
    outcome: str
    beside: str = ""
    failed: bool = False


def rows(receipt: Receipt) -> tuple[Row, ...]:
    """What was done, in its order."""
    return tuple(_row(each) for each in receipt.doings)


def _row(each: Deployment | Release) -> Row:
    if isinstance(each, Release):
        return Row(each.stack, "application", each.what, each.seconds, str(each))
    beside = each.proof_line if each.swap and not each.failure else ""
    return Row(each.stack, each.phase, each.counted, each.seconds, did(each), beside, bool(each.failure))


def did(deployment: Deployment) -> str:
    """What a deployment came to besides its counts: the move, or the proofs, or why it failed."""
    if deployment.failure:
        return deployment.failure.splitlines()[0]
    return str(deployment.swap) if deployment.swap else deployment.proof_line


def long_ones(receipt: Receipt) -> tuple[Chapter, ...]:
    """The chapters that took any time: a clock that is advanced takes none."""
    return tuple(each for each in receipt.chapters if each.seconds >= 0.05)


def lines(receipt: Receipt) -> Iterator[str]:
    """What the last screen says of it, above the access matrix."""
    for each in receipt.doings:
        if isinstance(each, Deployment):
            yield summary_line(each)
        else:
            yield f"{each.stack:<8} {'app':<9} {each.what:<32} {each.seconds:5.1f} s  {each}"
    yield ""
    if receipt.gates:
        yield _gates_line(receipt)
    if receipt.load is not None:
        yield f"Load: {receipt.load}"
    counts = ", ".join(f"{cluster} {receipt.count(cluster)}" for cluster in receipt.clusters)
    yield f"Users: {len(receipt.before)} → {len(receipt.after)} ({counts})"
    yield f"Time: {receipt.seconds:.0f} s"


def _gates_line(receipt: Receipt) -> str:
    rounds = sum(each.rounds for each in receipt.gates)
    first_red = next((each for each in receipt.gates if not each.green), None)
    if first_red is None:
        return f"Gates: {rounds} green rounds of all eight"
    return (
        f"Gates: {rounds} green rounds; not green: {first_red.stack}, {first_red.moment}: {first_red.summary}"
    )
