"""`atlas-access undo STACK PHASE`: the way back from a phase, after a live look whether it is open. Read-only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, REFUTED, UNKNOWN, CommandFailed, presented_as
from atlas_access.retirement import UndoPhase

if TYPE_CHECKING:
    from atlas_access.base import Endpoints
    from atlas_access.manifest import Manifest
    from atlas_access.retirement import Recipe


def undo(
    stack: inputs.Stack,
    phase: Annotated[UndoPhase, typer.Argument(help="The phase to take back.", case_sensitive=False)],
    *,
    output: inputs.PlainOutput = inputs.PlainFormat.TEXT,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
) -> int:
    """Say the commands that take PHASE back. Exit 0 when the way is open, 1 when it is closed, 3 when unknown."""
    from atlas_access.cli.output import write

    endpoints = inputs.read_endpoints()
    declared = inputs.read_manifest(manifest)
    inputs.known_stack(stack, declared)
    found, against = _judged(stack, phase, declared, endpoints)
    open_ = found.nothing or (found.reversible and not against)
    if output is inputs.PlainFormat.JSON:
        document = {
            "stack": stack,
            "phase": phase.value,
            "open": open_,
            "commands": list(found.commands),
            "text": list(found.text),
            "against": against or None,
        }
        write(json.dumps(document, indent=2))
    else:
        write("\n".join(_lines(stack, found, against)))
    return DONE if open_ else REFUTED


def _judged(stack: str, phase: UndoPhase, declared: Manifest, endpoints: Endpoints) -> tuple[Recipe, str]:
    """The recipe, and what is against it now. Raises CommandFailed (exit 3) when that cannot be known."""
    from atlas_access.clients import AwsUnavailable
    from atlas_access.retirement import Stage, consumed, deleted, recipe, retirement_journal, untouched

    way = recipe(phase, stack, sandbox=endpoints.sandbox)
    if phase in (UndoPhase.LOCAL, UndoPhase.CODE):
        return way, ""
    settings = inputs.read_settings(stack, endpoints)
    with presented_as(
        UNKNOWN, AwsUnavailable, remedy="Whether there is a way back is unknown; change nothing."
    ):
        journal = retirement_journal(stack, settings, endpoints)
    if journal.broken:
        raise CommandFailed(
            f"the retirement's tags on {stack}'s service make no sense ({journal.broken}).",
            "Whether there is a way back is unknown; change nothing.",
            UNKNOWN,
        )
    gone = journal.stage in (Stage.DELETING, Stage.DELETED)
    if phase is UndoPhase.RETIREMENT:
        if gone:
            return deleted(declared, stack), ""
        return (way if journal.stage is not Stage.NONE else untouched(stack)), ""
    if gone:
        document = f"{stack}'s legacy users are gone (stage {journal.stage.value}): nothing runs without the new ones."
        return way, document
    return way, consumed(stack, declared, settings) if phase is not UndoPhase.SWAP else ""


def _lines(stack: str, found: Recipe, against: str) -> list[str]:
    word = "NOTHING" if found.nothing else "OPEN" if found.reversible and not against else "CLOSED"
    head = f"{word}  {stack}: the way back from phase {found.phase.value}"
    lines = [head, *(f"  {line}" for line in against.splitlines())]
    lines += [f"  {number}. {command}" for number, command in enumerate(found.commands, start=1)]
    return [*lines, *(f"  {line}" for line in found.text)]
