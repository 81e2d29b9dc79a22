"""Every generated document by its path: what `atlas-access docs` writes and the guard *docs-sync* compares.

Pure: equal inputs give equal bytes, without a time or a version in them. Nothing observed is in them: what is
live and proven belongs to a run, not to the repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from atlas_access.base import Format, render
from atlas_access.manifest import Manifest
from atlas_access.retirement import env_example
from atlas_access.review import control_mapping, diagrams, matrix_html, policy_page
from atlas_access.review.matrix import build
from atlas_access.review.matrix_report import matrix_report
from atlas_access.review.policy_page import RuleEntry


def documents(manifest: Manifest, rules: Sequence[RuleEntry]) -> Mapping[str, str]:
    """The documents, by path below the repository's root."""
    matrix = build(manifest)
    # A file in git mentions nobody, so it needs no character between @ and a name.
    page = render(matrix_report(matrix), Format.MD).replace("@\u200b", "@")
    return {
        "docs/access-matrix.md": f"# Access matrix\n\n{page}",
        "docs/access-matrix.html": matrix_html.render(matrix),
        "docs/policies.md": _page(policy_page.lines(rules)),
        "docs/control-mapping.md": _page(control_mapping.lines(manifest, rules)),
        "docs/diagrams.md": _page(diagrams.lines(manifest)),
        ".env.example": env_example.render(manifest),
    }


def _page(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
