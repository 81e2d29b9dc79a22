"""The demo's receipt: access before and after, and the redacted pages that survive the teardown."""

from collections.abc import Sequence
from pathlib import Path

from atlas_access.base import Endpoints, redact
from atlas_access.clients import Atlas, SignIn
from atlas_access.review import Matrix, matrix_html
from sandbox.demo.receipt import DatabaseUser, Receipt
from sandbox.demo.receipt_pages import render_html, render_markdown
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


def write(receipt: Receipt, matrix: Matrix, directory: Path, secrets: Sequence[str]) -> None:
    """Write the pages, redacted as everything that leaves is."""
    for name, text in (
        (PAGE, render_html(receipt)),
        ("receipt.md", render_markdown(receipt)),
        ("access-matrix.html", matrix_html.render(matrix)),
    ):
        (directory / name).write_text(redact(text, secrets), encoding="utf-8")
