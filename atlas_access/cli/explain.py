"""`atlas-access explain`: why a policy rule stands, or why a waiver is accepted, and the remedy for it."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, CommandFailed


def explain(
    name: Annotated[str, typer.Argument(metavar="RULE|WAIVER", help="For example user-cap, or W1.")],
    *,
    manifest: Annotated[Path, typer.Option(help="The manifest that records the waivers.")] = inputs.MANIFEST,
    output: inputs.PlainOutput = inputs.PlainFormat.TEXT,
) -> int:
    """Explain a rule of the policy pack, with an example of both sides, or a waiver of the manifest.

    Also what a report calls not-evaluated or known-after-creation.
    """
    from atlas_access.cli.output import write
    from atlas_access.review import policy_explained
    from policy.catalogue import (
        CATALOGUE,
        KNOWN_AFTER_CREATION,
        NOT_EVALUATED,
        explain as look_up,
        explain_telling,
    )

    entry, telling = look_up(name), explain_telling(name)
    if entry is not None:
        page = policy_explained.of_rule(entry)
    elif telling is not None:
        page = policy_explained.of_telling(telling)
    else:
        declared = inputs.read_manifest(manifest)
        waiver = next((each for each in declared.waivers if each.id == name), None)
        if waiver is None:
            tellings = (NOT_EVALUATED.name, KNOWN_AFTER_CREATION.name)
            raise _unknown(name, [*CATALOGUE, *tellings, *(each.id for each in declared.waivers)])
        page = policy_explained.of_waiver(declared, waiver)
    if output is inputs.PlainFormat.JSON:
        write(json.dumps(policy_explained.document(page), indent=2, ensure_ascii=False))
    else:
        write(policy_explained.render(page))
    return DONE


def _unknown(name: str, known: list[str]) -> CommandFailed:
    near = get_close_matches(name[:64], known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
    return CommandFailed(f'"{name[:64]}" is neither a rule of the policy pack nor a waiver.', hint)
