"""`python -m atlas_access.workflow TASK`: what the Makefile runs in a workflow, by the workflow's own environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from atlas_access.base import Format, ManifestInvalid, SettingsInvalid, redact, render
from atlas_access.manifest import load_manifest
from atlas_access.workflow.approved_plan import (
    PlanMissing,
    fetch_plan,
    plan_name,
    refuse_older,
    tree_of_checkout,
)
from atlas_access.workflow.comment import compose, gather, post
from atlas_access.workflow.github_command import GitHub, GitHubFailed
from atlas_access.workflow.notify import notify, settle
from atlas_access.workflow.propose_rotation import propose
from atlas_access.workflow.required_check import required_check


def main(task: str) -> int:
    """Run one task; 0 done, 1 refused, 2 wrong input, 3 where GitHub did not answer."""
    given = os.environ.get
    github = GitHub(given("GITHUB_REPOSITORY", ""))
    run_url = (
        f"{given('GITHUB_SERVER_URL', '')}/{github.repository}/actions/runs/{given('GITHUB_RUN_ID', '')}"
    )
    stack, workflow, code = given("STACK", ""), f"Workflow {given('GITHUB_WORKFLOW', '')}", 0
    try:
        match task:
            case "name-plan":
                sys.stdout.write(f"name={plan_name(stack, tree_of_checkout())}\n")
            case "approved-plan":
                if given("RUN"):
                    refuse_older(github, given("GITHUB_REF_NAME", ""), given("GITHUB_SHA", ""))
                fetch_plan(github, stack, given("RUN", ""), Path())
            case "comment":
                declared = load_manifest(Path("access.yaml").read_bytes())
                review, previews = gather(github, given("RUN", ""), declared)
                body = compose(given("COMMIT", ""), run_url, review, previews)
                post(github, given("PULL_REQUEST", ""), redact(body))
            case "notify":
                notify(github, f"{workflow} failed for {stack}", run_url)
            case "waiting":
                notify(github, f"{workflow} waits for the approval of {stack}", run_url)
            case "waited":
                settle(github, f"{workflow} waits for the approval of {stack}")
            case "propose-rotation":
                branch, commit = given("GITHUB_REF_NAME", ""), given("GITHUB_SHA", "")
                sys.stdout.write(f"{redact(propose(github, stack, branch, commit, Path()))}\n")
            case "reviewed":
                report = required_check(given("ANSWER", ""), given("APPROVAL", ""))
                sys.stdout.write(render(report, Format.TEXT))
                code = report.status.exit_code
            case _:
                sys.stderr.write(f'no task "{task}"\n')
                code = 2
    except (PlanMissing, GitHubFailed) as error:
        sys.stderr.write(f"{redact(str(error))}\n")
        code = 1 if isinstance(error, PlanMissing) else 3
    except (ManifestInvalid, SettingsInvalid) as error:
        sys.stderr.write(f"{redact(str(error))}\n")
        code = 2
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or [""]))
