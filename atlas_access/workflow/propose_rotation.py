"""The pull request that starts a rotation which is due, where a GitHub App's token is configured.

A pull request that the workflow's own token opens would start no preview. Without a token of an app, the issue of the
drift check names the command.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from atlas_access.base import Endpoints
from atlas_access.drift import Kind
from atlas_access.manifest import load_manifest
from atlas_access.rollout import settings_of
from atlas_access.rotation import RotationRefused, Verb, plan, with_settings
from atlas_access.workflow.github_command import GitHub


def propose(github: GitHub, stack: str, base: str, commit: str, folder: Path) -> str:
    """Open at most one pull request, on branch `base` at `commit`; return what was done.

    The folder holds the checkout, and the drift check's JSON as `drift-<stack>.json`. A branch that is there was
    proposed before: it is not proposed again until somebody deletes it. Raises GitHubFailed.
    """
    try:
        due = _due(json.loads((folder / f"drift-{stack}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return f"{stack}: the drift check left no report: nothing is proposed"
    if not due:
        return f"{stack}: no rotation is due"
    manifest = load_manifest((folder / "access.yaml").read_text(encoding="utf-8"))
    settings = settings_of(stack, Endpoints.from_environment(os.environ), folder)
    file = f"Pulumi.{stack}.yaml"
    user = due[0]
    branch = f"rotate-{stack}-{user}"
    if github.pages(f"git/matching-refs/heads/{branch}"):
        return f"{stack}: the branch {branch} is there already; delete it to have the rotation proposed again"
    try:
        change = plan(stack, settings, manifest, [user], Verb.START)
    except RotationRefused as refused:
        return f"{stack}: {refused}"
    text = with_settings((folder / file).read_text(encoding="utf-8"), change.settings)
    title = f"Rotate {user} on {stack}"
    there = github.api(f"contents/{file}?ref={commit}")
    github.api("git/refs", method="POST", ref=f"refs/heads/{branch}", sha=commit)
    content = base64.b64encode(text.encode()).decode()
    github.api(
        f"contents/{file}", method="PUT", message=title, content=content, branch=branch, sha=there["sha"]
    )
    made = github.api(
        "pulls", method="POST", title=title, head=branch, base=base, body="\n".join(change.lines)
    )
    return f"{stack}: {made['html_url']} starts the rotation of {user}"


def _due(drift: Mapping[str, Any]) -> list[str]:
    """The users whose password is older than the manifest allows, by name."""
    return sorted({each["detail"] for each in drift["findings"] if each["kind"] == Kind.ROTATION_DUE.value})
