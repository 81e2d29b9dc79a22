"""`atlas-access matrix`: who may do what, from the manifest, beside what was observed and proven."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atlas_access.cli import inputs


def matrix(
    *,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
    output: Annotated[
        inputs.TableFormat,
        typer.Option("--format", help="How to show it; every format carries the same facts."),
    ] = inputs.TableFormat.TEXT,
    evidence: Annotated[
        Path | None, typer.Option(help="Proofs to fill in the columns live and proven.")
    ] = None,
) -> int:
    """Show who may do what on which collection, and which variable carries whose credential."""
    from atlas_access.base import Format
    from atlas_access.cli.output import show, write
    from atlas_access.review import build, matrix_html, matrix_report

    result = build(inputs.read_manifest(manifest), inputs.read_evidence(evidence))
    report = matrix_report(result)
    if output is not inputs.TableFormat.HTML:
        return show(report, Format(output.value))
    write(matrix_html.render(result))
    return report.status.exit_code
