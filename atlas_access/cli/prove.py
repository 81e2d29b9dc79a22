"""`atlas-access prove`: asks the servers themselves what credentials can do, and shows what they said."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.base import Format
from atlas_access.cli import inputs
from atlas_access.cli.errors import WRONG, CommandFailed, presented_as

if TYPE_CHECKING:
    from atlas_access.base import Endpoints
    from atlas_access.proof import ProofReport


class NamedSet(StrEnum):
    """Named sets of probes, instead of the complete proof."""

    RUNBOOK = "runbook"


def prove(
    stack: Annotated[
        str | None, typer.Argument(help="An environment of access.yaml; not with --secret-id.")
    ] = None,
    *,
    user: Annotated[str | None, typer.Option(help="One user instead of all.")] = None,
    output: inputs.Output = Format.TEXT,
    attempts: Annotated[bool, typer.Option("--attempts", help="One line for each attempt besides.")] = False,
    named: Annotated[
        NamedSet | None, typer.Option("--set", help="The runbook's twelve probes instead of the whole proof.")
    ] = None,
    legacy: Annotated[bool, typer.Option("--legacy", help="With --set: the users made by hand.")] = False,
    leave_row: Annotated[
        bool, typer.Option("--leave-row", help="With --set: write one {_probe: true} row, which stays.")
    ] = False,
    secret_id: Annotated[
        str | None, typer.Option(help="Any secret that holds a connection string, by name or ARN.")
    ] = None,
    collection: Annotated[str, typer.Option(help="With --secret-id: C or C1,C2.")] = "",
    expect_allow: Annotated[str, typer.Option(metavar="ACTIONS", help="For example FIND,INSERT.")] = "",
    expect_deny: Annotated[str, typer.Option(metavar="ACTIONS", help="For example UPDATE,REMOVE.")] = "",
    here: Annotated[
        bool, typer.Option("--here", help="Prove from here, even where a task is configured.")
    ] = False,
    database: Annotated[str, typer.Option(help="Instead of the connection string's own.")] = "",
    version: Annotated[str, typer.Option(help="A version id instead of the current one.")] = "",
    region: Annotated[str, typer.Option(envvar="AWS_REGION", help="With --secret-id.")] = "",
    manifest: inputs.ManifestPath = inputs.MANIFEST,
) -> int:
    """Prove credentials by the server itself, without a trace. Exit 0 proven, 1 refuted, 3 inconclusive."""
    from atlas_access.base import EndpointRefused
    from atlas_access.cli.output import show
    from atlas_access.cli.provenance import with_context
    from atlas_access.proof import proof_report

    asked = _Asked(
        stack, user, named, legacy=legacy, row=leave_row, here=here, quiet=output is not Format.TEXT
    )
    _exclude(asked, secret_id)
    endpoints = inputs.read_endpoints()
    with presented_as(WRONG, EndpointRefused):
        if secret_id is None:
            report = _of_stack(asked, manifest, endpoints)
        else:
            words = (_split(collection), _split(expect_allow), _split(expect_deny))
            report = _of_secret(secret_id, words, (region, database, version), endpoints)
    shown = proof_report(report, attempts=attempts or output is Format.JUNIT)
    if output is Format.JSON and stack is not None:
        shown = with_context(shown, stack, manifest, endpoints)
    return show(shown, output)


@dataclass(frozen=True)
class _Asked:
    """What of a stack is to be proven, and how."""

    stack: str | None
    user: str | None
    named: NamedSet | None
    legacy: bool
    row: bool
    here: bool
    quiet: bool

    @property
    def title(self) -> str:
        """The stack, and what of it besides all."""
        probes = ", the twelve of the runbook" if self.named else ""
        return f"{self.stack}{probes}{', legacy users' if self.legacy else ''}"


def _exclude(asked: _Asked, secret_id: str | None) -> None:
    if (asked.stack is None) == (secret_id is None):
        raise CommandFailed("Name a stack, or any secret with --secret-id: one of them.")
    if secret_id is not None and (asked.user or asked.named):
        raise CommandFailed("--user and --set belong to a stack: leave them out with --secret-id.")
    if asked.named is None and (asked.legacy or asked.row):
        raise CommandFailed("--legacy and --leave-row belong to a set: add --set runbook.")
    if asked.named is not None and asked.user:
        raise CommandFailed("--set tries its own users: leave --user out.")


def proofs_of(stack: str, manifest: Path, endpoints: Endpoints) -> ProofReport:
    """Prove every credential of a stack, without showing progress. Raises CommandFailed."""
    from atlas_access.base import EndpointRefused

    with presented_as(WRONG, EndpointRefused):
        return _of_stack(
            _Asked(stack, None, None, legacy=False, row=False, here=False, quiet=True), manifest, endpoints
        )


def _of_stack(asked: _Asked, path: Path, endpoints: Endpoints) -> ProofReport:
    from atlas_access.base import ManifestInvalid
    from atlas_access.cli.output import console
    from atlas_access.cli.prove_view import board
    from atlas_access.proof import (
        ProofReport,
        Proven,
        Stack,
        candidates,
        probe_set,
        prove_candidates,
        runbook_candidates,
        write_row,
    )

    name = str(asked.stack)
    declared = inputs.read_manifest(path)
    if asked.user is not None and asked.user not in {each.name for each in declared.users}:
        known = ", ".join(each.name for each in declared.users)
        raise CommandFailed(f"{path} has no user {asked.user}. It has {known}.")
    settings = inputs.read_settings(name, endpoints)
    sign_in = inputs.sign_in_if_any()
    stack = Stack(name, declared, settings, endpoints, sign_in, here=asked.here)
    probes = None
    if asked.named:
        text = inputs.read_text(path.with_name("runbook.yaml"), "It holds the probes of --set runbook.")
        with presented_as(WRONG, ManifestInvalid):
            probes = probe_set(text, name, legacy=asked.legacy)
    if asked.named and probes is None:
        raise CommandFailed(f"no legacy users of {name} are written down for the set {asked.named}.")
    began = time.monotonic()
    each = runbook_candidates(stack, probes) if probes else candidates(stack, asked.user)
    names = [f"{one.user} ({one.secret})" for one in each]
    by = dict(zip(map(id, each), names, strict=True))
    with board(console(), names, quiet=asked.quiet) as shown:
        proofs = prove_candidates(
            each,
            endpoints,
            lambda one, line: shown.line(by[id(one)], line),
            lambda one, proof: shown.ended(by[id(one)], proof),
        )
    notes = (
        []
        if sign_in
        else ["Atlas was not asked, because there are no credentials: the secrets' hosts are unchecked."]
    )
    if asked.row and probes:
        notes.append(write_row(stack, probes, proofs))
    return ProofReport(
        title=asked.title,
        proven=tuple(
            Proven(
                proof,
                one.secret,
                one.variables,
                one.held,
                declared=declared.declared_at(one.user),
                audit=declared.audit.namespace,
            )
            for one, proof in zip(each, proofs, strict=True)
        ),
        seconds=time.monotonic() - began,
        notes=tuple(notes),
        complete=probes is None,
        unknown=tuple(dict.fromkeys(what for one in each for what in one.unknown)),
        declared=() if probes else tuple(each.name for each in declared.users),
    )


def _of_secret(
    secret_id: str,
    words: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    where: tuple[str, str, str],
    endpoints: Endpoints,
) -> ProofReport:
    from atlas_access.proof import ProofReport, Proven, SpotInvalid, SpotOrder, spot_proof

    (collections, allow, deny), (region, database, version) = words, where
    if not secret_id.strip():
        raise CommandFailed("--secret-id is empty: give the secret's name or ARN.")
    if not collections:
        raise CommandFailed("--secret-id needs --collection: one name, or several as C1,C2.")
    if not region:
        raise CommandFailed("--secret-id needs a region: set AWS_REGION or --region.")
    began = time.monotonic()
    with presented_as(WRONG, SpotInvalid):
        order = SpotOrder(secret_id, collections, allow, deny, region, database, version)
        proof = spot_proof(order, endpoints, lambda _: None)
    proven = Proven(proof, secret_id.rpartition(":secret:")[2] or secret_id)
    return ProofReport(proven.name, (proven,), time.monotonic() - began, complete=False)


def _split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))
