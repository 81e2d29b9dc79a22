"""`atlas-access evidence STACK --out DIR`: asks everything once and keeps the answers for an auditor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import WRONG, CommandFailed, presented_as
from atlas_access.cli.provenance import LAW, provenance

if TYPE_CHECKING:
    from atlas_access.base import Endpoints, Settings


def evidence(
    stack: inputs.Stack,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="An empty or a new folder.")],
    *,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
    known_users: inputs.KnownUsersPath = inputs.KNOWN_USERS,
) -> int:
    """Collect proofs, drift, matrix, status, handover and acceptance of STACK with a file of digests. Read-only.

    Exit 0 where all is proven, clean and done; 1 where something is not; 3 where something could not be asked.
    """
    from atlas_access.base import Format, render, worst
    from atlas_access.cli.check import compared
    from atlas_access.cli.drift import observed
    from atlas_access.cli.output import write
    from atlas_access.cli.prove import proofs_of
    from atlas_access.cli.status import status_of
    from atlas_access.drift import drift_report
    from atlas_access.proof import proof_report
    from atlas_access.review import Context, build, evidence_files, matrix_report, observations

    endpoints, declared = inputs.read_endpoints(), inputs.read_manifest(manifest)
    inputs.known_stack(stack, declared)
    settings = inputs.read_settings(stack, endpoints)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CommandFailed(f"{out} is not an empty folder.", "Name a new one with --out.")
    law = compared(manifest, manifest.parent / LAW)
    if law is None:
        raise CommandFailed(f"{LAW} is not there.", "Run the command where access.yaml and policy/ are.")
    found, drifted = proofs_of(stack, manifest, endpoints), observed(stack, manifest, known_users)
    proof = proof_report(found)
    reports = {
        "proof": proof,
        "drift": drift_report(drifted),
        "status": status_of(stack, manifest, known_users),
        "law": law,
    }
    matrix = matrix_report(build(declared, observations(render(proof, Format.JSON), "the proofs")))
    hosts, asked_hosts = _hosts(settings, endpoints)
    facts, not_asked = provenance(stack, manifest, settings, endpoints)
    context = Context(
        **facts,
        expectations_digests=tuple(sorted({each.proof.expectations_digest for each in found.proven})),
        secret_versions={each.secret: each.proof.secret_version for each in found.proven},
        server_versions=tuple(sorted({each.proof.server_version for each in found.proven} - {""})),
        not_asked=tuple(
            dict.fromkeys((*found.unknown, *map(str, drifted.unread), *asked_hosts, *not_asked, "tier"))
        ),
    )
    files = evidence_files(context, {**reports, "matrix": matrix}, declared, settings, hosts)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")
    status = worst(each.status for each in reports.values())
    label = {0: "COMPLETE", 1: "INCOMPLETE", 3: "UNKNOWN"}[status.exit_code]
    write(f"{label}  {stack}: {len(files)} files in {out}, digests in SHA256SUMS")
    write("\n".join(f"  {each.headline}" for each in reports.values()))
    return status.exit_code


def _hosts(settings: Settings, endpoints: Endpoints) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The cluster's public hosts, and what could not be asked of them."""
    from atlas_access.base import Address, AddressMissing, ConnectionInvalid, ConnectionString
    from atlas_access.clients import AtlasUnread, cluster_addresses

    sign_in = inputs.sign_in_if_any()
    if sign_in is None:
        return (), ("hosts (no credentials for Atlas)",)
    with presented_as(WRONG, ConnectionInvalid):
        try:
            found = cluster_addresses(
                settings.atlas_project_id, settings.atlas_cluster, sign_in, endpoints
            ).base(Address.PUBLIC, settings.with_address_form(endpoints.address_form).address_form)
        except (AtlasUnread, AddressMissing) as error:
            return (), (f"hosts ({error})",)
        return ConnectionString.parse(found).hosts, ()
