"""The access matrix as a report: for each cluster its users with their variables, and a row for each collection.

Equal matrices give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from atlas_access.base import Finding, Report, Section, Status, Table
from atlas_access.manifest import Collection
from atlas_access.proof import Standing
from atlas_access.review.matrix import (
    LETTERS,
    MARKS,
    AcceptedFinding,
    ClusterMatrix,
    Matrix,
    Use,
    UserRow,
)

SIGNS = {Standing.YES: "●", Standing.NO: "✗", Standing.UNCLEAR: "?", Standing.UNASKED: "·"}
_BAD = {Standing.NO: Status.BAD, Standing.UNCLEAR: Status.UNKNOWN}
_LABELS = {Status.GOOD: "DECLARED", Status.BAD: "REFUTED", Status.UNKNOWN: "INCONCLUSIVE"}


def matrix_report(matrix: Matrix) -> Report:
    """The matrix: bad when a proof is refuted, unknown when one is inconclusive; nothing asked is no doubt."""
    doubts = tuple(_doubts(matrix))
    found = {each.status for each in doubts}
    status = next((each for each in (Status.BAD, Status.UNKNOWN) if each in found), Status.GOOD)
    clusters = " and ".join(each.environment for each in matrix.clusters)
    accepted = tuple(map(accepted_finding, matrix.accepted))
    return Report(
        name="matrix",
        status=status,
        label=_LABELS[status],
        summary=f"who may do what on {matrix.database} of {clusters}; append-only audit log {matrix.audit}",
        sections=(
            *([Section("Known and accepted", findings=accepted)] if accepted else []),
            *([Section("Not proven", findings=doubts)] if doubts else []),
            *(section for each in matrix.clusters for section in _sections(each, matrix.database)),
            Section("Signs", lines=_legend()),
        ),
        notes=matrix.notes,
        data={
            "database": matrix.database,
            "left_out": matrix.left_out,
            "audit": matrix.audit,
            "clusters": [_cluster(each, matrix.audit) for each in matrix.clusters],
            "accepted": list(map(accepted_document, matrix.accepted)),
        },
        source="access.yaml",
    )


def accepted_finding(accepted: AcceptedFinding) -> Finding:
    """A waiver: who can do what although it was meant to be held apart, and where that was accepted."""
    details = (("Accepted in", accepted.adr), ("Why", accepted.reason))
    return Finding(Status.GOOD, "", str(accepted), code=accepted.id, details=details)


def accepted_document(accepted: AcceptedFinding) -> dict[str, Any]:
    """A waiver for machines."""
    return {name: fact for name, fact in asdict(accepted).items() if name != "audit"}


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


def _doubts(matrix: Matrix) -> Iterator[Finding]:
    for cluster in matrix.clusters:
        for row in cluster.users:
            if row.proven in _BAD:
                yield Finding(_BAD[row.proven], f"{row.name} on {cluster.environment}", row.reason)


def _sections(cluster: ClusterMatrix, database: str) -> Iterator[Section]:
    rows = tuple(line for row in cluster.users for line in _user(row, cluster.environment))
    users = Table(("user", "role", "variable", "live", "proven"), rows)
    yield Section(f"Users of the {cluster.environment} cluster", table=users)
    heads = ("collection", "class", *(row.name for row in cluster.users))
    cells = (
        (_place(each, database), each.data_class, *(str(row.cells[index]) for row in cluster.users))
        for index, each in enumerate(cluster.collections)
    )
    yield Section(f"Collections of the {cluster.environment} cluster", table=Table(heads, tuple(cells)))


def _user(row: UserRow, cluster: str) -> Iterator[tuple[str, ...]]:
    """A line for each of the user's variables; the first has everything else."""
    name = f"{row.name} ⚠{','.join(row.waivers)}" if row.waivers else row.name
    first, *others = [used_as(use, cluster) for use in row.uses] or ["none"]
    yield name, row.role, first, SIGNS[row.live], SIGNS[row.proven]
    yield from (("", "", each, "", "") for each in others)


def _place(collection: Collection, database: str) -> str:
    name = collection.name if collection.database == database else collection.namespace
    return f"{name}?" if collection.may_be_absent else name


def _legend() -> tuple[str, ...]:
    letters = [f"{letter} {action}" for letter, action in LETTERS]
    marks = [f"{mark} {meaning}" for mark, meaning, _ in MARKS]
    return (
        " · ".join([*letters, *marks, "+ more", "⚠ accepted finding", "name? may be absent"]),
        "● yes  ✗ no  ? inconclusive  · not asked",
    )


def _cluster(cluster: ClusterMatrix, audit: str) -> dict[str, Any]:
    return {
        "environment": cluster.environment,
        "users": [_row(row, cluster.collections, audit) for row in cluster.users],
    }


def _row(row: UserRow, collections: tuple[Collection, ...], audit: str) -> dict[str, Any]:
    return {
        "name": row.name,
        "role": row.role,
        "uses": list(map(asdict, row.uses)),
        "waivers": list(row.waivers),
        "declared": "yes",
        "live": row.live.value,
        "proven": row.proven.value,
        "reason": row.reason,
        "provenAt": row.proven_at,
        "access": [
            {
                "database": place.database,
                "collection": place.name,
                "class": place.data_class,
                "mayBeAbsent": place.may_be_absent,
                "audit": place.namespace == audit,
                "letters": cell.letters,
                "marks": cell.marks,
                "actions": list(cell.actions),
                "waivers": list(cell.waivers),
            }
            for place, cell in zip(collections, row.cells, strict=True)
        ],
    }
