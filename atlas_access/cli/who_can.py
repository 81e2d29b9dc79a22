"""`atlas-access who-can`: who can do one action to one collection, by the manifest, and with --live by the servers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli.errors import DONE, UNKNOWN, WRONG, presented_as
from atlas_access.cli.inputs import MANIFEST, PlainFormat, read_manifest, read_settings

if TYPE_CHECKING:
    from atlas_access.manifest import Manifest
    from atlas_access.review import Answer


def who_can(
    action: Annotated[str, typer.Argument(help="By Atlas's name, UPDATE, or MongoDB's, update.")],
    place: Annotated[str, typer.Argument(metavar="DB.COLL", help="For example askflorence.agent_audit_log.")],
    *,
    manifest: Annotated[Path, typer.Option(help="The manifest to read.")] = MANIFEST,
    live: Annotated[
        str | None, typer.Option(metavar="STACK", help="Ask the servers of STACK, with each credential.")
    ] = None,
    output: Annotated[PlainFormat, typer.Option("--format", help="How to show it.")] = PlainFormat.TEXT,
) -> int:
    """Say which users can do ACTION on DB.COLL, by which role, and who carries their credential.

    With --live exit 3 when a user could not be asked.
    """
    from atlas_access.cli.output import write
    from atlas_access.review import QuestionInvalid, matrix_json, who_can as ask, who_can_text

    declared = read_manifest(manifest)
    with presented_as(WRONG, QuestionInvalid):
        answer = ask(declared, action, place)
    if live is not None:
        return _live(declared, answer, live, output)
    write(matrix_json.render_answer(answer) if output is PlainFormat.JSON else who_can_text.render(answer))
    return DONE


def _live(declared: Manifest, answer: Answer, name: str, output: PlainFormat) -> int:
    from atlas_access.base import EndpointRefused, Endpoints
    from atlas_access.cli.output import write
    from atlas_access.clients import CredentialsMissing, sign_in_from
    from atlas_access.proof import Stack, live_holders
    from atlas_access.review import who_can_live

    with presented_as(WRONG, EndpointRefused):
        endpoints = Endpoints.from_environment(os.environ)
        try:
            sign_in = sign_in_from(os.environ)
        except CredentialsMissing:
            sign_in = None
        stack = Stack(name, declared, read_settings(name, endpoints), endpoints, sign_in)
        found = live_holders(stack, answer.action, *answer.place.split(".", 1))
    said = tuple(who_can_live.Said(each.user, each.secret, each.can, each.roles, each.why) for each in found)
    live = who_can_live.LiveAnswer(name, answer, said)
    legacy = [each.name for each in declared.legacy_on(name)]
    if output is PlainFormat.JSON:
        write(json.dumps(who_can_live.as_data(live), indent=2, ensure_ascii=False))
    else:
        write("\n".join(who_can_live.lines(live, legacy)))
    return UNKNOWN if live.unasked else DONE
