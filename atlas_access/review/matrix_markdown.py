"""The access matrix as Markdown: one table a cluster, every collection a row, for a page that is kept in git.

It must never let a name change the page's structure: every value is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from atlas_access.review.matrix import LETTERS, MARKS, ClusterMatrix, Matrix, UserRow
from atlas_access.review.matrix_text import SIGNS, used_as

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|@~])")


def render(matrix: Matrix) -> str:
    """The page. Ends in a newline; equal matrices give equal bytes."""
    return "\n".join(_lines(matrix)) + "\n"


def escape(text: str) -> str:
    """`text` as plain words in Markdown, in a table cell too: one line, no markup, no mention."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """`text` as a code span that may stand in a table cell."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`".replace("|", "\\|")


def _lines(matrix: Matrix) -> Iterator[str]:
    yield "# Access matrix"
    yield ""
    yield f"Database {code(matrix.database)}, append-only audit log {code(matrix.audit)}."
    yield ""
    yield f"{', '.join(f'**{letter}** {action}' for letter, action in LETTERS)},"
    yield f"{', '.join(f'**{mark}** {meaning}' for mark, meaning, _ in MARKS)}, **+** more, ⚠ accepted finding."
    yield "● yes, ✗ no, ? inconclusive, · not asked."
    if matrix.accepted:
        yield ""
        yield "## Known and accepted"
        yield ""
        for each in matrix.accepted:
            yield f"- **{escape(each.id)}** ({escape(each.adr)}): {escape(str(each))}. {escape(each.reason)}"
    for cluster in matrix.clusters:
        yield ""
        yield from _cluster(cluster)


def _cluster(cluster: ClusterMatrix) -> Iterator[str]:
    yield f"## Cluster {escape(cluster.environment)}"
    yield ""
    yield "| user | role | variables | declared | live | proven |"
    yield "|---|---|---|:-:|:-:|:-:|"
    for row in cluster.users:
        uses = "<br>".join(
            f"{code(use.variable)} {escape(used_as(use, cluster.environment).removeprefix(use.variable))}".strip()
            for use in row.uses
        )
        yield (f"| {_name(row)} | {code(row.role)} | {uses} | ● | {SIGNS[row.live]} | {SIGNS[row.proven]} |")
    yield ""
    yield f"| collection | class | {' | '.join(code(row.name) for row in cluster.users)} |"
    yield f"|---|---|{'|'.join('---' for _ in cluster.users)}|"
    for index, collection in enumerate(cluster.collections):
        cells = " | ".join(escape(str(row.cells[index])) for row in cluster.users)
        absent = ", may be absent" if collection.may_be_absent else ""
        yield f"| {code(collection.name)} | {escape(collection.data_class)}{absent} | {cells} |"
    for row in cluster.users:
        if row.reason:
            yield ""
            yield f"{SIGNS[row.proven]} {escape(row.name)}: {escape(row.reason)}"


def _name(row: UserRow) -> str:
    return code(row.name) + (f" ⚠{escape(','.join(row.waivers))}" if row.waivers else "")
