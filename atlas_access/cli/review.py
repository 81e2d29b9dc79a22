"""`atlas-access review`: what a change does to access, in sentences, the worst first."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import WRONG, presented_as

if TYPE_CHECKING:
    from atlas_access.base import Report


class ReviewFormat(StrEnum):
    """The formats of a review."""

    TEXT = "text"
    MD = "md"
    JSON = "json"


def review(
    *,
    base: Annotated[str, typer.Option(metavar="REF", help="What to compare with: a branch or commit.")] = (
        "origin/main"
    ),
    stack: Annotated[
        str | None, typer.Option(metavar="STACK", help="Add what differs from what STACK has deployed now.")
    ] = None,
    output: Annotated[ReviewFormat, typer.Option("--format", help="How to show it.")] = ReviewFormat.TEXT,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
    known_users: inputs.KnownUsersPath = inputs.KNOWN_USERS,
) -> int:
    """Say who gains or loses which access between REF and the files here: manifest, law, settings and gates.

    Exit 0 the same or narrower, 1 wider, 2 where REF cannot be read, 3 where STACK could not be asked.
    """
    from atlas_access.base import Format
    from atlas_access.cli.check import compared
    from atlas_access.cli.output import show
    from atlas_access.review import (
        BaseUnread,
        base_of,
        of_commit,
        of_folder,
        review as compare,
        review_report,
    )

    folder = manifest.parent
    inputs.read_manifest(manifest)
    with presented_as(WRONG, BaseUnread):
        since = base_of(folder, base)
        found = compare(
            of_commit(since, manifest.name), of_folder(folder, manifest.name), f"{base} ({since.commit[:12]})"
        )
    lawful = compared(manifest, folder / "policy" / "policy-config.json")
    live = None if stack is None else _deployed(stack, manifest, known_users)
    return show(review_report(found, lawful, live), Format(output.value))


def _deployed(stack: str, manifest: Path, known_users: Path) -> Report:
    from atlas_access.cli.drift import observed
    from atlas_access.drift import drift_report

    return drift_report(observed(stack, manifest, known_users))
