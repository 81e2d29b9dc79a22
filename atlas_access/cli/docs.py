"""`atlas-access docs`: writes the generated documents, or says which of them are out of step."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, CommandFailed

if TYPE_CHECKING:
    from atlas_access.guards import Report
    from atlas_access.manifest import Manifest


def docs(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when one is out of step.")
    ] = False,
    manifest: Annotated[
        Path, typer.Option(help="The manifest to read; documents stand beside it.")
    ] = inputs.MANIFEST,
) -> int:
    """Generate the access matrix, policy catalogue, control mapping, diagrams and .env.example."""
    from atlas_access.base import Format
    from atlas_access.cli.output import show, write
    from atlas_access.guards import guards_report

    declared = inputs.read_manifest(manifest)
    if check:
        return show(guards_report([in_sync(declared, manifest.parent)]), Format.TEXT)
    wanted = _wanted(declared)
    changed = [path for path, text in wanted.items() if _read(manifest.parent / path) != text]
    for path in changed:
        _write(manifest.parent / path, wanted[path])
    write("".join(f"written  {path}\n" for path in changed) or f"in step  {len(wanted)} documents\n")
    return DONE


def in_sync(declared: Manifest, root: Path) -> Report:
    """Compare the documents under `root` with what would be generated now."""
    from atlas_access.guards import docs_sync

    wanted = _wanted(declared)
    return docs_sync.check(wanted, {path: _read(root / path) for path in wanted})


def _wanted(declared: Manifest) -> Mapping[str, str]:
    # The pack is self-contained and on no floor: only here do its catalogue and our reports meet.
    from atlas_access.review import documents
    from policy.catalogue import CATALOGUE

    return documents(declared, tuple(CATALOGUE.values()))


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""
    except OSError as error:
        raise CommandFailed(
            f"{path}: {error.strerror or 'cannot be read'}.", "It is a generated document."
        ) from error


def _write(path: Path, text: str) -> None:
    """Write a document whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, delete=False, encoding="utf-8", newline="\n"
        ) as file:
            file.write(text)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise CommandFailed(
            f"{path}: {error.strerror or 'cannot be written'}.", "Make the folder writable."
        ) from error
