"""`atlas-access guard env-var-coverage --list FILE | --reverse FILE`: phase F as a patch, and the patch that undoes it.

The list is the only file written; the tree is changed by whoever applies the patch, after reading it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, REFUTED, CommandFailed, presented_as

if TYPE_CHECKING:
    from atlas_access.manifest import Manifest


def patch(
    declared: Manifest, source: Path, excluded: Sequence[str], keep: Path | None, reverse: Path | None
) -> int:
    """Print a patch for `git apply`. Exit 0 when it is whole, 1 when a line could not be found again."""
    from atlas_access.cli.output import console, write
    from atlas_access.guards import replacements as way

    tree = inputs.read_source(source, excluded)
    screen = console(error=True)
    if reverse is not None:
        text = inputs.read_text(reverse, "Name the list that --list has written.")
        with presented_as(2, way.ListInvalid, remedy=f"{reverse}: write one with --list before phase F."):
            made = way.patch(way.from_json(text), tree.files, reverse=True)
    else:
        listed = way.replacements(declared, tree.files)
        if keep is not None and listed:
            _keep(keep, way.to_json(listed))
        made = way.patch(listed, tree.files)
    write(made.text) if made.text else screen.print("nothing to replace", soft_wrap=True)
    for place in made.lost:
        screen.print(f"{place}: changed since the list was written; take it back by hand", soft_wrap=True)
    return REFUTED if made.lost else DONE


def _keep(path: Path, text: str) -> None:
    """Write the list, never over another one: it is the only way back."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise CommandFailed(
            f"{path} is there already, and may be the only way back of an earlier change.",
            "Name another file.",
        ) from None
    except OSError as error:
        raise CommandFailed(
            f"{path}: {error.strerror or 'cannot be written'}.", "Name another file."
        ) from error
