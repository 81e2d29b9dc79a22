"""The demo's receipt: access before and after, and the redacted pages that survive the teardown."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from atlas_access.base import Endpoints, redact
from atlas_access.clients import Atlas, SignIn
from atlas_access.manifest import load_manifest
from atlas_access.review import Matrix, build, matrix_html
from sandbox.demo_play import Notes
from sandbox.demo_story import Story
from sandbox.load_report import LoadReport
from sandbox.receipt import DatabaseUser, Receipt
from sandbox.receipt_pages import render_html, render_markdown
from sandbox.world import World

PAGE = "receipt.html"


def users(world: World) -> tuple[DatabaseUser, ...]:
    """Every database user of every cluster, as the Atlas Admin API lists them."""
    found = []
    for name, here in world.environments.items():
        endpoints = Endpoints.from_environment(world.environment(name))
        with Atlas(here.project_id, SignIn(here.atlas.public, here.atlas.private), endpoints) as atlas:
            for user in atlas.users():
                # Custom roles all live in `admin`: only a built-in one is distinguished by its database.
                roles = ", ".join(sorted(str(role).removesuffix("@admin") for role in user.roles))
                found.append(DatabaseUser(name, user.name, roles))
    return tuple(found)


def receipt_of(
    sandbox: str,
    before: tuple[DatabaseUser, ...],
    after: tuple[DatabaseUser, ...],
    tale: Story,
    notes: Notes,
    load: LoadReport,
    program_dir: Path,
) -> Receipt:
    """Everything that was shown, as a record."""
    manifest = load_manifest((program_dir / "access.yaml").read_text(encoding="utf-8"))
    return Receipt(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        sandbox=sandbox,
        before=before,
        after=after,
        deployments=tuple(notes.deployments),
        releases=tuple(notes.releases),
        gates=tuple(notes.gates),
        load=load,
        accepted=build(manifest).accepted,
        chapters=tuple(notes.chapters),
        notes=tale.notes,
        failure=notes.failure,
    )


def write(receipt: Receipt, directory: Path, program_dir: Path, secrets: Sequence[str]) -> Matrix:
    """Write the pages, redacted as everything that leaves is; return the access matrix with what was proven."""
    manifest = load_manifest((program_dir / "access.yaml").read_text(encoding="utf-8"))
    matrix = build(manifest, [proof.observation for each in receipt.deployments for proof in each.proofs])
    for name, text in (
        (PAGE, render_html(receipt)),
        ("receipt.md", render_markdown(receipt)),
        ("access-matrix.html", matrix_html.render(matrix)),
    ):
        (directory / name).write_text(redact(text, secrets), encoding="utf-8")
    return matrix
