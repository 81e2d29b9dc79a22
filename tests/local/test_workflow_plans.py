"""What the workflows do with GitHub: the plan of this very tree, the one comment, the issue, the required check."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from atlas_access.base import Status
from atlas_access.workflow.comment import MARKER, Preview, compose
from atlas_access.workflow.required_check import required_check

ROOT = Path(__file__).parents[2]
OURS = {"path": ".github/workflows/preview.yml@refs/pull/1/merge", "event": "pull_request", "tree": "{tree}"}
GH = f"""#!{sys.executable}
import json, pathlib, shutil, sys
words = sys.argv[1:]
with open("calls", "a") as calls:
    calls.write(json.dumps(words) + "\\n")
if words[0] == "api":
    path = words[1].split("repos/example/app/")[1].split("?")[0]
    answers = json.loads(pathlib.Path("answers").read_text()) if pathlib.Path("answers").exists() else {{}}
    print(json.dumps(answers.get(path, [[]] if "--slurp" in words else {{}})))
else:
    run, name, folder = words[2], words[6], words[8]
    if not pathlib.Path(f"artifact-{{run}}-{{name}}").is_dir():
        sys.exit("no artifact")
    shutil.copytree(f"artifact-{{run}}-{{name}}", folder, symlinks=True, dirs_exist_ok=True)
"""


class Checkout:
    """A repository and a `gh` that answers from files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: dict[str, Any] = {}
        (folder / "bin").mkdir()
        (folder / "bin" / "gh").write_text(GH)
        (folder / "bin" / "gh").chmod(0o755)
        shutil.copy(ROOT / "access.yaml", folder)
        who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
            subprocess.run(["git", *who, *command], cwd=folder, check=True)
        said = subprocess.run(
            ["git", "rev-parse", "HEAD^{tree}"], cwd=folder, capture_output=True, text=True, check=True
        )
        self.tree = said.stdout.strip()

    def artifact(self, run: str, name: str, **files: str) -> Path:
        folder = self.folder / f"artifact-{run}-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (folder / file.replace("__", "-").replace("_", ".")).write_text(text, encoding="utf-8")
        return folder

    def offer(self, *runs: tuple[str, dict[str, str]], fork: bool = False, expired: bool = False) -> None:
        """Runs with an artifact of the plan's name, newest first: id, and what GitHub says of it."""
        listed = [
            {
                "expired": expired,
                "workflow_run": {"id": int(run), "repository_id": 1, "head_repository_id": 1 + fork},
            }
            for run, _ in runs
        ]
        self.answers["actions/artifacts"] = {"artifacts": listed}
        for run, said in runs:
            tree = said.get("tree", "").format(tree=self.tree)
            self.answers[f"actions/runs/{run}"] = {**said, "head_commit": {"tree_id": tree}}
            plan = self.artifact(
                run, f"plan-staging-{self.tree}", plan__staging_json=run, preview__staging_txt=run
            )
            (plan / ".venv").mkdir()

    def run(self, task: str, **given: str) -> tuple[int, str]:
        (self.folder / "answers").write_text(json.dumps(self.answers))
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "GITHUB_REPOSITORY": "example/app",
            "GITHUB_SERVER_URL": "https://github.example", "GITHUB_RUN_ID": "9", "STACK": "staging", **given,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "atlas_access.workflow", task],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def plan(self) -> str:
        path = self.folder / "plan-staging.json"
        return path.read_text() if path.exists() else ""

    def written(self) -> list[tuple[str, str, str]]:
        """What was written to GitHub: method, path, and the body."""
        calls = [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]
        return [
            (call[3], call[1].removeprefix("repos/example/app/"), call[-1].removeprefix("body="))
            for call in calls
            if call[0] == "api" and "--raw-field" in call
        ]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_newest_preview_of_this_tree_is_taken_and_nothing_but_its_two_files(checkout: Checkout) -> None:
    checkout.offer(("3", OURS), ("2", OURS))
    code, said = checkout.run("approved-plan")
    assert (0, "3", False) == (code, checkout.plan(), (checkout.folder / ".venv").exists()), said
    assert "3" == (checkout.folder / "preview-staging.txt").read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"path": ".github/workflows/other.yml"}, {"event": "push"},
        {"tree": "0123456789abcdef0123456789abcdef01234567"}, {"path": "", "event": "", "tree": ""},
    ],
)  # fmt: skip
def test_an_artifact_of_the_right_name_from_another_run_is_passed_over(
    change: dict[str, str], checkout: Checkout
) -> None:
    checkout.offer(("3", OURS | change), ("2", OURS))
    assert (0, "2") == (checkout.run("approved-plan")[0], checkout.plan())


@pytest.mark.parametrize("of", [{"fork": True}, {"expired": True}])
def test_a_forks_or_an_expired_artifact_is_no_plan(of: dict[str, bool], checkout: Checkout) -> None:
    checkout.offer(("3", OURS), **of)
    code, said = checkout.run("approved-plan")
    assert (1, True, "") == (code, "staging has no plan for this tree" in said, checkout.plan())


def test_the_run_that_made_a_plan_itself_needs_no_search(checkout: Checkout) -> None:
    checkout.offer(("7", {"path": "its own run"}))
    checkout.answers["commits/main"] = {"sha": "b" * 40}
    own = {"RUN": "7", "GITHUB_REF_NAME": "main", "GITHUB_SHA": "b" * 40}
    assert (0, "7") == (checkout.run("approved-plan", **own)[0], checkout.plan())


def test_a_run_that_was_approved_after_a_newer_commit_is_not_applied(checkout: Checkout) -> None:
    checkout.offer(("7", {"path": "its own run"}))
    checkout.answers["commits/main"] = {"sha": "b" * 40}
    code, said = checkout.run("approved-plan", RUN="7", GITHUB_REF_NAME="main", GITHUB_SHA="a" * 40)
    assert (1, "", True) == (code, checkout.plan(), "main is at bbbbbbbbbbbb by now" in said)


@pytest.mark.parametrize("file", ["plan-staging.json", "preview-staging.txt"])
def test_a_link_in_the_place_of_a_file_is_refused(file: str, checkout: Checkout) -> None:
    checkout.offer(("3", OURS))
    path = checkout.folder / f"artifact-3-plan-staging-{checkout.tree}" / file
    path.unlink()
    path.symlink_to("/etc/hostname")
    assert 1 == checkout.run("approved-plan")[0]


def comment(checkout: Checkout) -> tuple[str, str, str]:
    code, said = checkout.run("comment", RUN="9", COMMIT="abc123", PULL_REQUEST="5")
    assert 0 == code, said
    (written,) = checkout.written()
    return written


def test_the_comment_begins_with_the_review_and_names_the_commit(checkout: Checkout) -> None:
    checkout.artifact("9", "review", review_md="## SAME  nobody gains access\n")
    for stack in ("staging", "prod"):
        (checkout.artifact("9", f"preview-{stack}") / f"preview-{stack}.txt").write_text(f"plan of {stack}\n")
        (checkout.artifact("9", f"plan-{stack}-{checkout.tree}") / f"plan-{stack}.json").write_text("{}")
    method, path, body = comment(checkout)
    expected = (
        f"{MARKER}\n\n## SAME  nobody gains access\n\n## staging\n\n~~~~diff\nplan of staging\n~~~~\n\n"
        "## prod\n\n~~~~diff\nplan of prod\n~~~~\n\n"
        "For commit abc123, by <https://github.example/example/app/actions/runs/9>."
    )
    assert ("POST", "issues/5/comments", expected) == (method, path, body)


def test_the_comment_says_what_a_plan_does_to_access_above_the_plan(checkout: Checkout) -> None:
    made = compose(
        "abc", "https://run", "## SAME", {"prod": Preview("+ x", planned=True, access=("a ~~~ b",))}
    )
    assert "## prod\n\n~~~~\na ~ ~ ~ b\n~~~~\n\n~~~~diff\n+ x\n~~~~" in made
    plan = checkout.artifact("9", f"plan-prod-{checkout.tree}") / "plan-prod.json"
    plan.write_text('{"resourcePlans": [1]}')
    assert "What the plan does to access could not be read." in comment(checkout)[2]


def test_a_comment_is_written_where_the_preview_failed_and_the_review_was_not_made(
    checkout: Checkout,
) -> None:
    (checkout.artifact("9", "preview-prod") / "preview-prod.txt").write_text("error: policy pack\n")
    _, _, body = comment(checkout)
    assert "**The review was not made.**" in body
    assert "## staging: the preview failed, no plan was saved\n\nIt printed nothing." in body
    assert "## prod: the preview failed, no plan was saved\n\n~~~~diff\nerror: policy pack\n~~~~" in body


@pytest.mark.parametrize(
    ("login", "text", "edits"),
    [
        ("github-actions[bot]", f"{MARKER}\nold", True),
        ("github-actions[bot]", "another workflow's", False),
        ("somebody", f"{MARKER}\nquoted", False),
    ],
)
def test_only_our_own_comment_is_edited(login: str, text: str, edits: bool, checkout: Checkout) -> None:
    checkout.answers["issues/5/comments"] = [[{"id": 77, "user": {"login": login}, "body": text}]]
    expected = ("PATCH", "issues/comments/77") if edits else ("POST", "issues/5/comments")
    assert expected == comment(checkout)[:2]


def test_a_preview_that_does_not_fit_is_said_to_be_cut_and_none_of_its_lines_ends_its_block() -> None:
    previews = {
        "staging": Preview("a\n~~~~\n@everyone\n~~~~~~\n", planned=True),
        "prod": Preview("+ é\n" * 9000, planned=True),
    }
    result = compose("abc", "https://run", "## SAME", previews)
    assert 1 == result.count("**Cut:** 20000 of 44999 bytes are shown.")
    assert ["~~~~diff", "~~~~"] * 2 == [line for line in result.splitlines() if line.startswith("~~~")]
    assert len(compose("abc", "https://run", "é" * 90000, previews)) < 65536


@pytest.mark.parametrize(
    ("issues", "expected"),
    [
        ([], ("POST", "issues")),
        ([{"number": 4, "title": "Workflow deploy failed for staging"}], ("POST", "issues/4/comments")),
        (
            [{"number": 4, "title": "Workflow deploy failed for staging", "pull_request": {}}],
            ("POST", "issues"),
        ),
    ],
)
def test_a_failure_is_one_issue_and_then_its_comments(
    issues: list[dict[str, Any]], expected: tuple[str, str], checkout: Checkout
) -> None:
    checkout.answers["issues"] = [issues]
    assert 0 == checkout.run("notify", GITHUB_WORKFLOW="deploy")[0]
    ((method, path, body),) = checkout.written()
    assert (*expected, "https://github.example/example/app/actions/runs/9") == (
        method,
        path.split("?")[0],
        body,
    )


def test_what_waits_for_an_approval_is_one_issue_that_its_approval_closes(checkout: Checkout) -> None:
    title = "Workflow deploy waits for the approval of staging"
    assert 0 == checkout.run("waiting", GITHUB_WORKFLOW="deploy")[0]
    checkout.answers["issues"] = [[{"number": 4, "title": title}, {"number": 5, "title": "another"}]]
    assert 0 == checkout.run("waiting", GITHUB_WORKFLOW="deploy")[0]
    assert 0 == checkout.run("waited", GITHUB_WORKFLOW="deploy")[0]
    written = [(method, path.split("?")[0]) for method, path, _ in checkout.written()]
    assert [("POST", "issues"), ("POST", "issues/4/comments"), ("PATCH", "issues/4")] == written


@pytest.mark.parametrize(
    ("answer", "approval", "status"),
    [
        ("0", "skipped", Status.GOOD), ("1", "success", Status.GOOD), ("1", "skipped", Status.BAD),
        ("1", "cancelled", Status.BAD), ("1", "failure", Status.BAD), ("2", "success", Status.UNKNOWN),
        ("3", "success", Status.UNKNOWN), ("", "skipped", Status.UNKNOWN),
    ],
)  # fmt: skip
def test_the_required_check_is_green_only_where_nothing_widens_or_it_was_approved(
    answer: str, approval: str, status: Status
) -> None:
    assert status is required_check(answer, approval).status


def rotation_due(checkout: Checkout, *users: str, phase: str = "bind") -> None:
    found = [{"kind": "rotation due", "detail": user} for user in users]
    (checkout.folder / "drift-staging.json").write_text(json.dumps({"findings": found}))
    for path in ROOT.glob("Pulumi.*"):
        text = path.read_text(encoding="utf-8").replace("phase: provision", f"phase: {phase}")
        text = re.sub(r"  atlas-access:placeholders:\n(    - .*\n)+", "", text)
        (checkout.folder / path.name).write_text(text, encoding="utf-8")
    checkout.answers["contents/Pulumi.staging.yaml"] = {"sha": "blob"}
    checkout.answers["pulls"] = {"html_url": "https://github.example/pull/1"}


def test_a_rotation_that_is_due_is_proposed_as_the_change_that_rotate_writes(checkout: Checkout) -> None:
    rotation_due(checkout, "app_write")
    code, said = checkout.run("propose-rotation", GITHUB_REF_NAME="main", GITHUB_SHA="c" * 40)
    assert (0, True) == (code, "https://github.example/pull/1 starts the rotation of app_write" in said), said
    calls = [json.loads(line) for line in (checkout.folder / "calls").read_text().splitlines()]
    written = [
        dict(word.partition("=")[::2] for word in call[5::2]) for call in calls if "--raw-field" in call
    ]
    reference, file, pull = written
    assert {"ref": "refs/heads/rotate-staging-app_write", "sha": "c" * 40} == reference
    config = yaml.safe_load(base64.b64decode(file["content"]))["config"]
    assert ("blob", {"app_write": 2}, "app_write") == (
        file["sha"], config["atlas-access:generations"], config["atlas-access:rotating"],
    )  # fmt: skip
    assert ("main", "rotate-staging-app_write") == (pull["base"], pull["head"])


def test_without_a_drift_report_nothing_is_proposed(checkout: Checkout) -> None:
    rotation_due(checkout)
    (checkout.folder / "drift-staging.json").write_text("")
    code, said = checkout.run("propose-rotation")
    assert (0, "staging: the drift check left no report: nothing is proposed\n") == (code, said)


@pytest.mark.parametrize(
    ("due", "phase", "branches", "says"),
    [
        ((), "bind", [], "no rotation is due"),
        (("app_write",), "bind", [{}], "rotate-staging-app_write is there already"),
        (("app_write",), "provision", [], "a rotation needs phase bind"),
    ],
)
def test_nothing_is_proposed_twice_or_where_it_cannot_be_done(
    due: tuple[str, ...], phase: str, branches: list[Any], says: str, checkout: Checkout
) -> None:
    rotation_due(checkout, *due, phase=phase)
    checkout.answers["git/matching-refs/heads/rotate-staging-app_write"] = [branches]
    code, said = checkout.run("propose-rotation", GITHUB_REF_NAME="main", GITHUB_SHA="c" * 40)
    assert (0, True) == (code, says in said), said
    assert not (checkout.folder / "calls").exists() or [] == checkout.written()
