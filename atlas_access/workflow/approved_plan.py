"""The plan that is applied: previewed for this very tree, in this repository, by the workflow of that tree."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from atlas_access.workflow.github_command import GitHub

_PREVIEW = ".github/workflows/preview.yml"


class PlanMissing(Exception):
    """No plan can be used; the message says why and what to do."""


def plan_name(stack: str, tree: str) -> str:
    """What the artifact of a plan is called."""
    return f"plan-{stack}-{tree}"


def tree_of_checkout() -> str:
    """The tree of the commit that is checked out."""
    done = subprocess.run(["git", "rev-parse", "HEAD^{tree}"], capture_output=True, text=True, check=True)  # noqa: S607
    return done.stdout.strip()


def own_runs(artifacts: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The runs in this repository (no fork's) whose artifact can still be read, the newest first."""
    runs = [each["workflow_run"] for each in artifacts if not each["expired"]]
    return tuple(str(run["id"]) for run in runs if run["head_repository_id"] == run["repository_id"])


def is_preview(run: Mapping[str, Any], tree: str) -> bool:
    """Whether a run is the preview of a pull request with this tree."""
    path = str(run.get("path", "")).partition("@")[0]
    commit = run.get("head_commit") or {}
    return (path, run.get("event"), commit.get("tree_id")) == (_PREVIEW, "pull_request", tree)


def refuse_older(github: GitHub, branch: str, commit: str) -> None:
    """Raise PlanMissing where the branch has a newer commit: its own run plans anew, and is the one to approve."""
    newest = str(github.api(f"commits/{branch}")["sha"])
    if newest != commit:
        raise PlanMissing(
            f"{branch} is at {newest[:12]} by now, not at {commit[:12]}: approve the newer run."
        )


def fetch_plan(github: GitHub, stack: str, run: str, folder: Path) -> None:
    """Put the plan and its preview into the folder: of `run`, or of the newest preview of this tree.

    Whatever else the artifact holds stays out. Raises PlanMissing.
    """
    tree = tree_of_checkout()
    name = plan_name(stack, tree)
    listed = [] if run else github.api(f"actions/artifacts?name={name}&per_page=100")["artifacts"]
    previews = (each for each in own_runs(listed) if is_preview(github.api(f"actions/runs/{each}"), tree))
    found = run or next(previews, "")
    if not found:
        raise PlanMissing(f"{stack} has no plan for this tree: preview it again in a pull request.")
    with tempfile.TemporaryDirectory() as scratch:
        if not github.download(found, name, scratch):
            raise PlanMissing(f"run {found} has no artifact {name}.")
        for file in (f"plan-{stack}.json", f"preview-{stack}.txt"):
            source = Path(scratch) / file
            if source.is_symlink() or not source.is_file():
                raise PlanMissing(f"the artifact of run {found} has no file {file}.")
            shutil.copyfile(source, folder / file)
