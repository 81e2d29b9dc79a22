"""Renders a receipt as a one-page HTML document, Markdown and terminal lines."""

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from atlas_access.review import Deployment, code, escape, summary_line
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
        receipt=receipt,
        rows=rows(receipt),
        chapters=long_ones(receipt),
    )


def render_markdown(receipt: Receipt) -> str:
    """The same as Markdown; ends in a newline."""
    return "\n".join(_markdown(receipt)) + "\n"


def lines(receipt: Receipt) -> tuple[str, ...]:
    """What the last screen says of it, above the access matrix."""
    return tuple(_lines(receipt))


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


def _lines(receipt: Receipt) -> Iterator[str]:
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


def _markdown(receipt: Receipt) -> Iterator[str]:
    yield "# Receipt of a migration"
    yield ""
    yield f"**{escape(receipt.headline)}**"
    yield ""
    yield f"{escape(receipt.sandbox)}. {escape(receipt.made_at)}, {receipt.seconds:.0f} s."
    for note in receipt.notes:
        yield ""
        yield f"> {escape(note)}"
    for cluster in receipt.clusters:
        yield ""
        yield f"## Users of the {escape(cluster)} cluster: {receipt.count(cluster)}"
        yield ""
        yield "| user | before | after | |"
        yield "|---|---|---|---|"
        for user in receipt.users(cluster):
            before, after = (code(role) if role else "-" for role in (user.role_before, user.role_after))
            yield f"| {code(user.name)} | {before} | {after} | {escape(user.fate)} |"
    yield ""
    yield "## What was done"
    yield ""
    yield "| stack | phase | changes | time | |"
    yield "|---|---|---|--:|---|"
    for each in receipt.doings:
        if isinstance(each, Deployment):
            text = f"{'FAILED ' if each.failure else ''}{escape(did(each))}"
            what = f"{escape(each.phase)} | {escape(each.counted)}"
        else:
            text, what = escape(str(each)), f"app | {escape(each.what)}"
        yield f"| {escape(each.stack)} | {what} | {each.seconds:.1f} s | {text} |"
    yield ""
    yield "## Gates"
    yield ""
    yield "| stack | when | answered by | green rounds | |"
    yield "|---|---|---|--:|---|"
    for gate in receipt.gates:
        yield (
            f"| {escape(gate.stack)} | {escape(gate.moment)} | {escape(gate.revision)} | {gate.rounds} "
            f"| {'' if gate.green else 'NOT GREEN: '}{escape(gate.summary)} |"
        )
    yield ""
    yield "## Requests meanwhile"
    yield ""
    yield from _load_markdown(receipt)
    yield ""
    yield "## Known and accepted"
    yield ""
    yield from (f"- {escape(f'{each.id} ({each.adr}): {each}')}" for each in receipt.accepted)
    yield ""
    yield "## Time"
    yield ""
    yield from (f"- {escape(each.title)}: {each.seconds:.1f} s" for each in long_ones(receipt))


def _load_markdown(receipt: Receipt) -> Iterator[str]:
    load = receipt.load
    if load is None:
        yield "No load was put on the services."
        return
    yield f"{escape(str(load))}; {load.rate:.0f} due a second for each environment."
    yield ""
    yield "| environment | endpoint | asked | failed | wrong |"
    yield "|---|---|--:|--:|--:|"
    for each in load.tallies:
        yield (
            f"| {escape(each.environment)} | {code(each.question)} | {each.asked} | {each.failed} | {each.wrong} |"
        )
    for fault in load.faults[:10]:
        yield ""
        yield f"- {escape(str(fault))}"
