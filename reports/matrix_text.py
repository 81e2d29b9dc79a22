"""The access matrix for a terminal: columns of equal content share one heading, and the widest layout that fits is taken.

It must never hide a difference: two collections share a column only when every user has the same cell in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from reports.matrix import (
    LETTERS,
    MARKS,
    AcceptedFinding,
    Cell,
    ClusterMatrix,
    CollectionFacts,
    Matrix,
    Standing,
    Use,
    UserRow,
)

SIGNS = {Standing.YES: "●", Standing.NO: "✗", Standing.UNCLEAR: "?", Standing.UNASKED: "·"}
_STYLES = {
    Standing.YES: "green",
    Standing.NO: "bold red",
    Standing.UNCLEAR: "yellow",
    Standing.UNASKED: "dim",
}
_KNOWN = ("declared", "live", "proven")


@dataclass(frozen=True)
class Column:
    """Collections whose cells are equal for every user, and those cells by user."""

    collections: tuple[CollectionFacts, ...]
    cells: tuple[Cell, ...]


def columns(cluster: ClusterMatrix) -> tuple[Column, ...]:
    """The cluster's collections grouped by equal content, in the order of each group's first collection."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, _ in enumerate(cluster.collections):
        content = tuple(repr(row.cells[index]) for row in cluster.users)
        groups.setdefault(content, []).append(index)
    return tuple(
        Column(
            collections=tuple(cluster.collections[index] for index in indexes),
            cells=tuple(row.cells[indexes[0]] for row in cluster.users),
        )
        for indexes in groups.values()
    )


def render(matrix: Matrix, console: Console) -> RenderableType:
    """Everything that a person reads about `matrix`, fitted to `console`'s width."""
    return Group(*_parts(matrix, console))


def accepted_lines(accepted: tuple[AcceptedFinding, ...]) -> tuple[str, ...]:
    """One line per waiver: who can do what although it was meant to be held apart, and where that was accepted."""
    return tuple(f"Known and accepted ({each.adr}, {each.id}): {each}" for each in accepted)


def used_as(use: Use, cluster: str) -> str:
    """A variable and, where it is not the plain case, whose and by which way: `MONGODB_URI (prod, private address)`."""
    notes = []
    if use.environment != cluster:
        notes.append(use.environment)
    if use.consumer == "schema_task":
        notes.append("run task")
    if use.address == "private":
        notes.append("private address")
    return f"{use.variable} ({', '.join(notes)})" if notes else use.variable


def _parts(matrix: Matrix, console: Console) -> Iterator[RenderableType]:
    for line in accepted_lines(matrix.accepted):
        yield Text(f"⚠ {line}", style="yellow")
    for cluster in matrix.clusters:
        yield Text("")
        yield from _cluster(cluster, console)
    yield Text("")
    yield _legend()
    for cluster in matrix.clusters:
        for row in cluster.users:
            if row.reason:
                yield Text(f"{SIGNS[row.proven]} {row.name} on {cluster.environment}: {row.reason}")


def _cluster(cluster: ClusterMatrix, console: Console) -> Iterator[RenderableType]:
    grouped = columns(cluster)
    table = _fitting(cluster, grouped, console)
    yield table
    if "variables" not in [str(column.header) for column in table.columns]:
        for row in cluster.users:
            uses = ", ".join(_used(row, cluster))
            yield Text(f"  {row.name}: {uses or 'no variable'}", style="dim")
    for number, column in enumerate(grouped):
        if len(column.collections) > 1 or _keyed(table):
            key = _key(number) if _keyed(table) else _heading(column)
            yield Text(f"  {key}: {_listed(column)}", style="dim")


def _fitting(cluster: ClusterMatrix, grouped: tuple[Column, ...], console: Console) -> Table:
    """The first layout, from roomy to terse, that fits; the tersest when none does."""
    full = [_heading(column, "\n") for column in grouped]
    split = ["\n".join(_split(line) for line in heading.split("\n")) for heading in full]
    keys = [_key(number) for number, _ in enumerate(grouped)]
    layouts = [(full, True), (split, True), (full, False), (split, False), (keys, False)]
    table = _table(cluster, grouped, *layouts[-1])
    for headings, variables in layouts:
        table = _table(cluster, grouped, headings, variables)
        room = console.options.update(width=10_000)
        if Measurement.get(console, room, table).maximum <= console.width:
            return table
    return table


def _table(
    cluster: ClusterMatrix, grouped: tuple[Column, ...], headings: list[str], variables: bool  # noqa: FBT001
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(f"{cluster.environment} cluster", no_wrap=True, vertical="top")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    if variables:
        table.add_column("variables", no_wrap=True)
    for known in _KNOWN:
        table.add_column(known, no_wrap=True, justify="center")
    for index, row in enumerate(cluster.users):
        uses = ["\n".join(_used(row, cluster))] if variables else []
        table.add_row(
            Text(row.name + (f" ⚠{','.join(row.waivers)}" if row.waivers else "")),
            *(_cell(column.cells[index]) for column in grouped),
            *uses,
            *(Text(SIGNS[standing], style=_STYLES[standing]) for standing in _standings(row)),
        )
    return table


def _standings(row: UserRow) -> tuple[Standing, Standing, Standing]:
    return Standing.YES, row.live, row.proven


def _used(row: UserRow, cluster: ClusterMatrix) -> tuple[str, ...]:
    """The variables of the environments' own tasks; a laptop's (`local`) repeat them and stay in the other formats."""
    return tuple(
        dict.fromkeys(used_as(use, cluster.environment) for use in row.uses if use.consumer != "local")
    )


def _cell(cell: Cell) -> Text:
    style = "yellow" if cell.waivers else ("dim" if str(cell) == "·" else "")
    return Text(str(cell), style=style)


def _heading(column: Column, joint: str = " ") -> str:
    first, *others = column.collections
    return f"{first.name}{joint}and {len(others)} more" if others else first.name


def _split(name: str) -> str:
    """A long name broken after underscores into lines of about a dozen characters."""
    if " " in name:
        return name
    lines = [""]
    for part in name.replace("_", "_\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part) > 12:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _key(number: int) -> str:
    return f"[{number + 1}]"


def _keyed(table: Table) -> bool:
    return str(table.columns[1].header) == _key(0) if len(table.columns) > 1 else False


def _listed(column: Column) -> str:
    """`plans, regions (public); agents (pii)`: every collection of a column, by data class."""
    classes: dict[str, list[str]] = {}
    for each in column.collections:
        name = f"{each.name}?" if each.may_be_absent else each.name
        classes.setdefault(each.data_class, []).append(name)
    return "; ".join(f"{', '.join(names)} ({data_class})" for data_class, names in classes.items())


def _legend() -> Text:
    letters = " · ".join(f"{letter} {action}" for letter, action in LETTERS)
    marks = " · ".join(f"{mark} {meaning}" for mark, meaning, _ in MARKS)
    return Text(
        f"{letters} · {marks} · + more · ⚠ accepted finding\n"
        "● yes  ✗ no  ? inconclusive  · not asked      name? may be absent",
        style="dim",
    )
