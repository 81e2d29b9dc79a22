"""Renders a receipt as a one-page HTML document, Markdown and terminal lines."""

from collections.abc import Iterator

from jinja2 import Environment, PackageLoader, StrictUndefined

from atlas_access.base import Format, Report, Section, Status, Table, render
from atlas_access.review import Deployment, summary_line
from sandbox.demo.receipt import Receipt, Release


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
    page = environment.get_template("receipt.html.j2")
    return page.render(receipt=receipt, sections=_report(receipt).sections)


def render_markdown(receipt: Receipt) -> str:
    """The same as Markdown; ends in a newline."""
    return render(_report(receipt), Format.MD)


def _report(receipt: Receipt) -> Report:
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
    long_ones = (each for each in receipt.chapters if each.seconds >= 0.05)  # advancing a clock takes no time
    done = Table(("stack", "phase", "changes", "time", ""), tuple(map(_row, receipt.doings)))
    sections = (
        Section(lines=(f"{receipt.sandbox}. {receipt.made_at}, {receipt.seconds:.0f} s.", *receipt.notes)),
        *users,
        Section("What was done", table=done),
        Section("Gates", table=Table(("stack", "when", "answered by", "green rounds", ""), gates)),
        requests,
        Section("Known and accepted", tuple(f"{each.id} ({each.adr}): {each}" for each in receipt.accepted)),
        Section("Time", tuple(f"{each.title}: {each.seconds:.1f} s" for each in long_ones)),
    )
    status = Status.GOOD if receipt.done else Status.BAD
    return Report("receipt", status, "Receipt of a migration:", receipt.headline, sections)


def _row(each: Deployment | Release) -> tuple[str, str, str, str, str]:
    seconds = f"{each.seconds:.1f} s"
    if isinstance(each, Release):
        return each.stack, "application", each.what, seconds, str(each)
    if each.failure:
        return each.stack, each.phase, each.counted, seconds, f"FAILED {each.failure.splitlines()[0]}"
    parts = (str(each.swap) if each.swap else "", each.proof_line)
    return each.stack, each.phase, each.counted, seconds, " · ".join(filter(None, parts))


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
