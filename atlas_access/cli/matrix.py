"""`atlas-access matrix`: who may do what, from the manifest, beside what was observed and proven."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atlas_access.cli.errors import DONE, REFUTED, UNKNOWN
from atlas_access.cli.inputs import MANIFEST, TableFormat, read_evidence, read_manifest


def matrix(
    *,
    manifest: Annotated[Path, typer.Option(help="The manifest to read.")] = MANIFEST,
    output: Annotated[
        TableFormat, typer.Option("--format", help="How to show it; every format carries the same facts.")
    ] = TableFormat.TEXT,
    evidence: Annotated[
        Path | None, typer.Option(help="Proofs to fill in the columns live and proven.")
    ] = None,
) -> int:
    """Show who may do what on which collection, and which variable carries whose credential."""
    from atlas_access.cli.output import console, write
    from atlas_access.proof import Standing
    from atlas_access.review import build

    declared = read_manifest(manifest)
    result = build(declared, read_evidence(evidence))
    match output:
        case TableFormat.TEXT:
            from atlas_access.review import render

            screen = console()
            screen.print(render(result, screen), soft_wrap=False)
            screen.file.flush()
        case TableFormat.MD:
            from atlas_access.review import matrix_markdown

            write(matrix_markdown.render(result))
        case TableFormat.HTML:
            from atlas_access.review import matrix_html

            write(matrix_html.render(result))
        case TableFormat.JSON:
            from atlas_access.review import matrix_json

            write(matrix_json.render(result))
    found = {row.proven for cluster in result.clusters for row in cluster.users}
    if Standing.NO in found:
        return REFUTED
    return UNKNOWN if Standing.UNCLEAR in found else DONE
