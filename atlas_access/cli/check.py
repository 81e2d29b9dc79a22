"""`atlas-access check`: whether the manifest and the policy pack's law, written independently, say the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.base import Format
from atlas_access.cli import inputs
from atlas_access.cli.errors import WRONG, CommandFailed, presented_as

if TYPE_CHECKING:
    from atlas_access.base import Report


def check(
    *,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
    law: Annotated[
        Path | None, typer.Option(help="The law to compare with; the installed pack's own where absent.")
    ] = None,
    output: inputs.Output = Format.TEXT,
) -> int:
    """Compare the manifest and the stacks' settings with the law. Exit 0 where they agree, 1 where they do not."""
    from atlas_access.cli.output import show

    report = compared(manifest, law)
    if report is None:
        raise CommandFailed(f"{law} is not there.", "Name the law's file with --law.")
    return show(report, output)


def compared(manifest: Path, law: Path | None) -> Report | None:
    """Manifest and settings compared with a law; None where its file is not there. Raises CommandFailed."""
    from atlas_access.base import PROJECT, read_yaml, stack_files
    from atlas_access.cli.law_facts import facts
    from atlas_access.review import agreement_report
    from policy.law_file import DEFAULT_FILE, LawInvalid, load_law

    if law is not None and not law.exists():
        return None
    declared = inputs.read_manifest(manifest)
    with presented_as(WRONG, LawInvalid):
        given = load_law(law or DEFAULT_FILE)
    settings: dict[str, dict[str, str]] = {}
    for stack, path in stack_files(manifest.parent).items():
        read = read_yaml(path.read_text(encoding="utf-8"), str(path)).data
        config = read.get("config") if isinstance(read, dict) else None
        listed = config.items() if isinstance(config, dict) else ()
        settings[stack] = {str(key).removeprefix(f"{PROJECT}:"): str(value) for key, value in listed}
    return agreement_report(declared, settings, facts(given), given.lapsed(), str(manifest))
