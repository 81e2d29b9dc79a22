"""The access matrix as JSON: the same facts as every other format, for machines.

It must never depend on dictionary order or on the clock: equal matrices give equal bytes.
"""

from __future__ import annotations

import json
from typing import Any

from atlas_access.review.matrix import AcceptedFinding, ClusterMatrix, CollectionFacts, Matrix, Use, UserRow
from atlas_access.review.who_can import Answer, Holder

VERSION = 1
"""Raised when a field changes its meaning or goes away."""


def render(matrix: Matrix) -> str:
    """The matrix as indented JSON."""
    return _text(
        {
            "version": VERSION,
            "database": matrix.database,
            "audit": matrix.audit,
            "clusters": [_cluster(each) for each in matrix.clusters],
            "accepted": [_accepted(each) for each in matrix.accepted],
        }
    )


def render_answer(answer: Answer) -> str:
    """The answer to who-can as indented JSON."""
    return _text(
        {
            "version": VERSION,
            "action": answer.action,
            "place": answer.place,
            "holders": [_holder(each) for each in answer.holders],
            "accepted": [_accepted(each) for each in answer.accepted],
        }
    )


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _cluster(cluster: ClusterMatrix) -> dict[str, Any]:
    return {
        "environment": cluster.environment,
        "users": [_row(row, cluster.collections) for row in cluster.users],
    }


def _row(row: UserRow, collections: tuple[CollectionFacts, ...]) -> dict[str, Any]:
    return {
        "name": row.name,
        "role": row.role,
        "uses": [_use(each) for each in row.uses],
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
                "audit": place.audit,
                "letters": cell.letters,
                "marks": cell.marks,
                "actions": list(cell.actions),
                "waivers": list(cell.waivers),
            }
            for place, cell in zip(collections, row.cells, strict=True)
        ],
    }


def _use(use: Use) -> dict[str, str]:
    return {
        "variable": use.variable,
        "consumer": use.consumer,
        "environment": use.environment,
        "address": use.address,
        "secret": use.secret,
    }


def _holder(holder: Holder) -> dict[str, Any]:
    return {
        "environment": holder.environment,
        "user": holder.user,
        "role": holder.role,
        "waivers": list(holder.waivers),
        "uses": [_use(each) for each in holder.uses],
    }


def _accepted(finding: AcceptedFinding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "user": finding.user,
        "on": finding.on,
        "permits": list(finding.permits),
        "adr": finding.adr,
        "reason": finding.reason,
    }
