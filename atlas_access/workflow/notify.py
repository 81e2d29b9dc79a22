"""One open issue for each workflow and stack that failed or waits for an approval: written once, then commented on."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_access.workflow.github_command import GitHub


def notify(github: GitHub, title: str, run_url: str) -> None:
    """Say what a run came to, or what it waits for. Raises GitHubFailed."""
    number = next(_open(github, title), None)
    if number is None:
        github.api("issues", method="POST", title=title, body=run_url)
    else:
        github.api(f"issues/{number}/comments", method="POST", body=run_url)


def settle(github: GitHub, title: str) -> None:
    """Close the issue of what no longer waits. Raises GitHubFailed."""
    for number in _open(github, title):
        github.api(f"issues/{number}", method="PATCH", state="closed")


def _open(github: GitHub, title: str) -> Iterator[int]:
    for each in github.pages("issues?state=open&per_page=100"):
        if each["title"] == title and "pull_request" not in each:
            yield each["number"]
