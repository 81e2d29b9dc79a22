"""`atlas-access who-can`: who can do one action to one collection, by the manifest, and with --live by the servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import WRONG, presented_as

if TYPE_CHECKING:
    from atlas_access.base import Report
    from atlas_access.manifest import Manifest
    from atlas_access.review import Answer


def who_can(
    action: Annotated[str, typer.Argument(help="By Atlas's name, UPDATE, or MongoDB's, update.")],
    place: Annotated[str, typer.Argument(metavar="DB.COLL", help="For example shop.orders.")],
    *,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
    live: Annotated[
        str | None, typer.Option(metavar="STACK", help="Ask the servers of STACK, with each credential.")
    ] = None,
    output: inputs.PlainOutput = inputs.PlainFormat.TEXT,
) -> int:
    """Say which users can do ACTION on DB.COLL, by which role, and who carries their credential.

    With --live exit 3 when a user could not be asked.
    """
    from atlas_access.base import Format
    from atlas_access.cli.output import show
    from atlas_access.review import QuestionInvalid, declared_report, who_can as ask

    declared = inputs.read_manifest(manifest)
    with presented_as(WRONG, QuestionInvalid):
        answer = ask(declared, action, place)
    report = declared_report(answer) if live is None else _live(declared, answer, live)
    return show(report, Format(output.value))


def _live(declared: Manifest, answer: Answer, name: str) -> Report:
    from atlas_access.base import EndpointRefused
    from atlas_access.proof import Stack, live_holders
    from atlas_access.review import live_report

    endpoints = inputs.read_endpoints()
    with presented_as(WRONG, EndpointRefused):
        stack = Stack(
            name, declared, inputs.read_settings(name, endpoints), endpoints, inputs.sign_in_if_any()
        )
        found = live_holders(stack, answer.action, *answer.place.split(".", 1))
    return live_report(answer, name, found, [each.name for each in declared.legacy_on(name)])
