"""`atlas-access who-can`: who can do one action to one collection, by the manifest, and with --live by the servers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli.errors import WRONG, presented_as
from atlas_access.cli.inputs import MANIFEST, PlainFormat, read_manifest, read_settings

if TYPE_CHECKING:
    from atlas_access.base import Report
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
    from atlas_access.base import Format
    from atlas_access.cli.output import show
    from atlas_access.review import QuestionInvalid, declared_report, who_can as ask

    declared = read_manifest(manifest)
    with presented_as(WRONG, QuestionInvalid):
        answer = ask(declared, action, place)
    report = declared_report(answer) if live is None else _live(declared, answer, live)
    return show(report, Format(output.value))


def _live(declared: Manifest, answer: Answer, name: str) -> Report:
    from atlas_access.base import EndpointRefused, Endpoints
    from atlas_access.clients import CredentialsMissing, sign_in_from
    from atlas_access.proof import Stack, live_holders
    from atlas_access.review import live_report

    with presented_as(WRONG, EndpointRefused):
        endpoints = Endpoints.from_environment(os.environ)
        try:
            sign_in = sign_in_from(os.environ)
        except CredentialsMissing:
            sign_in = None
        stack = Stack(name, declared, read_settings(name, endpoints), endpoints, sign_in)
        found = live_holders(stack, answer.action, *answer.place.split(".", 1))
    return live_report(answer, name, found, [each.name for each in declared.legacy_on(name)])
