"""The access matrix as one HTML page: searchable, with a "who can change this collection?" view, light and dark.

It has a page of its own, because a report's table has neither search nor a cell that explains itself in words. It loads
nothing from outside itself; its content policy forbids it, and it reads whole without scripts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from atlas_access.review.matrix import LETTERS, MARKS, Cell, ClusterMatrix, Matrix
from atlas_access.review.matrix_report import SIGNS, used_as

_CHANGES = ("insert", "update", "remove")


@dataclass(frozen=True)
class Changer:
    """A user that can change a collection of one cluster, and how, in words."""

    user: str
    ways: str
    waivers: tuple[str, ...]


@dataclass(frozen=True)
class Changers:
    """Everyone who can change one collection, by cluster; None where the collection does not live."""

    collection: str
    data_class: str
    audit: bool
    by_cluster: tuple[tuple[Changer, ...] | None, ...]


def render(matrix: Matrix, story: Sequence[str] = ()) -> str:
    """The page; `story` are lines to show above the matrix, what a run did for example."""
    environment = Environment(
        loader=PackageLoader("atlas_access.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("matrix.html.j2").render(
        matrix=matrix,
        story=story,
        changers=changers(matrix),
        letters=LETTERS,
        marks=MARKS,
        signs=SIGNS,
        used_as=used_as,
        in_words=in_words,
    )


def changers(matrix: Matrix) -> tuple[Changers, ...]:
    """For every collection of any cluster, in the manifest's order: who can change it, and how."""
    places = {each.namespace: each for cluster in matrix.clusters for each in cluster.collections}
    return tuple(
        Changers(
            collection=place,
            data_class=facts.data_class,
            audit=place == matrix.audit,
            by_cluster=tuple(_changers(cluster, place) for cluster in matrix.clusters),
        )
        for place, facts in places.items()
    )


def in_words(cell: Cell) -> str:
    """A cell read aloud: `find, insert`; `nothing` when it is empty."""
    ways = [action for _, action in LETTERS if action in cell.actions]
    ways += [meaning for mark, meaning, _ in MARKS if mark in cell.marks]
    ways += ["more"] if "+" in cell.marks else []
    return ", ".join(ways) or "nothing"


def _changers(cluster: ClusterMatrix, place: str) -> tuple[Changer, ...] | None:
    for index, collection in enumerate(cluster.collections):
        if collection.namespace == place:
            rows = ((row.name, row.cells[index], row.waivers) for row in cluster.users)
            return tuple(
                Changer(name, ways, cell.waivers + waivers)
                for name, cell, waivers in rows
                if (ways := _ways(cell))
            )
    return None


def _ways(cell: Cell) -> str:
    ways = [action for action in _CHANGES if action in cell.actions]
    ways += ["indexes"] if "x" in cell.marks else []
    ways += ["definition"] if "d" in cell.marks else []
    ways += ["more"] if "+" in cell.marks else []
    return ", ".join(ways)
