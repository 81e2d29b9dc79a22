"""One open issue for each workflow and stack that failed: written once, then commented on."""

from __future__ import annotations

from atlas_access.workflow.github_command import GitHub


def notify(github: GitHub, workflow: str, stack: str, run_url: str) -> None:
    """Say that a run failed or was cancelled. Raises GitHubFailed."""
    title = f"Workflow {workflow} failed for {stack}"
    for each in github.pages("issues?state=open&per_page=100"):
        if each["title"] == title and "pull_request" not in each:
            github.api(f"issues/{each['number']}/comments", method="POST", body=run_url)
            return
    github.api("issues", method="POST", title=title, body=run_url)
