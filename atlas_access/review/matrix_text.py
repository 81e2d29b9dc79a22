"""The access matrix for a terminal: columns of equal content share a heading, in the roomiest layout that fits.

It must never hide a difference: two collections share a column only when every user has the same cell in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from textwrap import wrap

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from atlas_access.proof import Standing
from atlas_access.review.matrix import (
    LETTERS,
    MARKS,
    AcceptedFinding,
    Cell,
    ClusterMatrix,
    CollectionFacts,
    Matrix,
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


class _Layout(Enum):
    """How the tables are laid out, from roomy to terse."""

    ROOMY = "whole headings, a column of variables"
    SPLIT = "headings over several lines, a column of variables"
    SHORT = "whole headings, variables beneath"
    NARROW = "headings over several lines, variables beneath"
    KEYED = "headings by number, variables beneath"
    LISTED = "no table"

    @property
    def variables(self) -> bool:
        """Whether variables have a column."""
        return self in {_Layout.ROOMY, _Layout.SPLIT}

    @property
    def keyed(self) -> bool:
        """Whether columns are called by a number."""
        return self in {_Layout.KEYED, _Layout.LISTED}

    def headings(self, grouped: tuple[Column, ...]) -> tuple[str, ...]:
        """The headings of the columns."""
        if self.keyed:
            return tuple(_key(number) for number, _ in enumerate(grouped))
        full = tuple(_heading(column, "\n") for column in grouped)
        if self in {_Layout.ROOMY, _Layout.SHORT}:
            return full
        return tuple("\n".join(_split(line) for line in heading.split("\n")) for heading in full)


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
    width, layout = console.width, _fitting(matrix, console)
    for line in accepted_lines(matrix.accepted):
        yield _wrapped(f"⚠ {line}", width, "yellow")
    for cluster in matrix.clusters:
        yield Text("")
        yield from _cluster(cluster, layout, width)
    yield Text("")
    yield from _legend(width)
    for cluster in matrix.clusters:
        for row in cluster.users:
            if row.reason:
                yield _wrapped(
                    f"{SIGNS[row.proven]} {row.name} on {cluster.environment}: {row.reason}", width
                )


def _cluster(cluster: ClusterMatrix, layout: _Layout, width: int) -> Iterator[RenderableType]:
    grouped = columns(cluster)
    if layout is _Layout.LISTED:
        yield from _listed_rows(cluster, grouped, width)
    else:
        yield _table(cluster, grouped, layout)
    if not layout.variables:
        for row in cluster.users:
            uses = ", ".join(_used(row, cluster))
            yield _wrapped(f"  {row.name}: {uses or 'no variable'}", width)
    for number, column in enumerate(grouped):
        heading = _key(number) if layout.keyed else _heading(column)
        alone = len(column.collections) == 1 and not layout.keyed
        yield _wrapped(f"  {_listed(column)}" if alone else f"  {heading}: {_listed(column)}", width)


def _fitting(matrix: Matrix, console: Console) -> _Layout:
    """The first layout in which every cluster's table fits."""
    room = console.options.update(width=10_000)
    for layout in _Layout:
        tables = (_table(cluster, columns(cluster), layout) for cluster in matrix.clusters)
        if all(Measurement.get(console, room, table).maximum <= console.width for table in tables):
            return layout
    return _Layout.LISTED


def _listed_rows(cluster: ClusterMatrix, grouped: tuple[Column, ...], width: int) -> Iterator[RenderableType]:
    """The table's facts as lines, for a terminal too narrow for any table."""
    yield Text(f"{cluster.environment} cluster", style="bold")
    for index, row in enumerate(cluster.users):
        cells = ", ".join(f"{_key(number)} {column.cells[index]}" for number, column in enumerate(grouped))
        known = ", ".join(
            f"{name} {SIGNS[standing]}" for name, standing in zip(_KNOWN, _standings(row), strict=True)
        )
        yield _wrapped(f"{_named(row)}: {cells}; {known}", width, "")


def _table(cluster: ClusterMatrix, grouped: tuple[Column, ...], layout: _Layout) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(f"{cluster.environment} cluster", no_wrap=True)
    for heading in layout.headings(grouped):
        table.add_column(heading, no_wrap=True)
    if layout.variables:
        table.add_column("variables", no_wrap=True)
    for known in _KNOWN:
        table.add_column(known, no_wrap=True, justify="center")
    for index, row in enumerate(cluster.users):
        uses = ["\n".join(_used(row, cluster)).replace(" (", "\n  (")] if layout.variables else []
        table.add_row(
            Text(_named(row)),
            *(_cell(column.cells[index]) for column in grouped),
            *uses,
            *(Text(SIGNS[standing], style=_STYLES[standing]) for standing in _standings(row)),
        )
    return table


def _named(row: UserRow) -> str:
    return row.name + (f" ⚠{','.join(row.waivers)}" if row.waivers else "")


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


def _listed(column: Column) -> str:
    """`plans, regions (public); agents (pii)`: every collection of a column, by data class."""
    classes: dict[str, list[str]] = {}
    for each in column.collections:
        name = f"{each.name}?" if each.may_be_absent else each.name
        classes.setdefault(each.data_class, []).append(name)
    return "; ".join(f"{', '.join(names)} ({data_class})" for data_class, names in classes.items())


def _legend(width: int) -> Iterator[Text]:
    letters = " · ".join(f"{letter} {action}" for letter, action in LETTERS)
    marks = " · ".join(f"{mark} {meaning}" for mark, meaning, _ in MARKS)
    yield _wrapped(f"{letters} · {marks} · + more · ⚠ accepted finding", width)
    yield _wrapped("● yes  ✗ no  ? inconclusive  · not asked  name? may be absent", width)


def _wrapped(text: str, width: int, style: str = "dim") -> Text:
    """A line that continues with an indent, so that the next fact is found at a glance."""
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    lines = wrap(
        text, max(width, 20), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return Text("\n".join(lines), style=style)
