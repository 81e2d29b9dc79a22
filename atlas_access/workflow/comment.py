"""The pull request's one comment: the review first, then each stack's plan, or that there is none, and the commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from atlas_access.manifest import Manifest
from atlas_access.review import PlanUnread, access_of_plan
from atlas_access.workflow.approved_plan import plan_name, tree_of_checkout
from atlas_access.workflow.github_command import GitHub

MARKER = "<!-- atlas-access review and preview -->"
"""What our own comment begins with: no other is edited, whoever wrote it."""

_AUTHOR = "github-actions[bot]"
_STACK_BYTES = 20_000
_ACCESS_BYTES = 4_000
_REVIEW_BYTES = 15_000
"""GitHub takes 65,536 characters."""

_NO_REVIEW = "**The review was not made.** See <{}>."


@dataclass(frozen=True)
class Preview:
    """What a stack's preview printed ("" where it did not get that far), whether its plan was saved, what it says."""

    text: str
    planned: bool
    access: tuple[str, ...] = ()


def compose(commit: str, run_url: str, review: str, previews: Mapping[str, Preview]) -> str:
    """The comment's text."""
    parts = [MARKER, *(_fitting(review, _REVIEW_BYTES, run_url) if review else [_NO_REVIEW.format(run_url)])]
    for stack, preview in previews.items():
        parts.append(
            f"## {stack}" if preview.planned else f"## {stack}: the preview failed, no plan was saved"
        )
        if preview.access:
            access = "\n".join(preview.access).replace("~~~", "~ ~ ~")
            said, *cut = _fitting(access, _ACCESS_BYTES, run_url)
            parts += [f"~~~~\n{said}\n~~~~", *cut]
        text, *cut = _fitting(preview.text.replace("~~~", "~ ~ ~"), _STACK_BYTES, run_url)
        parts += [f"~~~~diff\n{text}\n~~~~" if text else "It printed nothing.", *cut]
    parts.append(f"For commit {commit}, by <{run_url}>.")
    return "\n\n".join(parts)


def _fitting(text: str, size: int, run_url: str) -> list[str]:
    """The text as far as it fits, with whole characters, and a sentence that it is cut."""
    data = text.strip("\n").encode()
    shown = data[:size].decode(errors="ignore")
    if len(data) <= size:
        return [shown]
    return [shown, f"**Cut:** {size} of {len(data)} bytes are shown. Read the rest in <{run_url}>."]


def _access(plan: str | None, manifest: Manifest, stack: str) -> tuple[str, ...]:
    try:
        return access_of_plan(plan, manifest, stack) if plan is not None else ()
    except PlanUnread:
        return ("What the plan does to access could not be read.",)


def gather(github: GitHub, run: str, manifest: Manifest) -> tuple[str, dict[str, Preview]]:
    """The review and the previews that jobs of this run have left."""
    tree = tree_of_checkout()

    def left(artifact: str, file: str) -> str | None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / file
            there = github.download(run, artifact, folder) and path.is_file() and not path.is_symlink()
            return path.read_text(encoding="utf-8", errors="replace") if there else None

    previews = {}
    for stack in manifest.environments:
        plan = left(plan_name(stack, tree), f"plan-{stack}.json")
        text = left(f"preview-{stack}", f"preview-{stack}.txt") or ""
        previews[stack] = Preview(text, plan is not None, _access(plan, manifest, stack))
    return left("review", "review.md") or "", previews


def post(github: GitHub, pull_request: str, body: str) -> None:
    """Edit our own comment, or write the first one. Raises GitHubFailed."""
    for each in github.pages(f"issues/{pull_request}/comments?per_page=100"):
        if each["user"]["login"] == _AUTHOR and each["body"].startswith(MARKER):
            github.api(f"issues/comments/{each['id']}", method="PATCH", body=body)
            return
    github.api(f"issues/{pull_request}/comments", method="POST", body=body)
