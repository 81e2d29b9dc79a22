"""`atlas-access who-can`: who can do one action to one collection, by the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.errors import DONE, WRONG, presented_as
from cli.inputs import MANIFEST, PlainFormat, read_manifest


def who_can(
    action: Annotated[str, typer.Argument(help="By Atlas's name, UPDATE, or MongoDB's, update.")],
    place: Annotated[str, typer.Argument(metavar="DB.COLL", help="For example askflorence.agent_audit_log.")],
    *,
    manifest: Annotated[Path, typer.Option(help="The manifest to read.")] = MANIFEST,
    output: Annotated[PlainFormat, typer.Option("--format", help="How to show it.")] = PlainFormat.TEXT,
) -> int:
    """Say which users can do ACTION on DB.COLL, by which role, and who carries their credential."""
    from cli.output import write
    from reports import matrix_json, who_can_text
    from reports.who_can import QuestionInvalid
    from reports.who_can import who_can as ask

    declared = read_manifest(manifest)
    with presented_as(WRONG, QuestionInvalid):
        answer = ask(declared, action, place)
    write(matrix_json.render_answer(answer) if output is PlainFormat.JSON else who_can_text.render(answer))
    return DONE
