"""The plan that is applied was previewed by this very tree, its artifact brings nothing else, and the comment."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ".github/workflows/preview.yml pull_request {tree}"

GH = """#!/bin/sh
case "$1 $2" in
  "api "*artifacts*) cat runs ;;
  "api "*runs/*) cat "run-${2##*/}" ;;
  "run download") cp -a "artifact-$3/." "$9/" ;;
  "pr comment") cat comment.md >posted ;;
esac
"""


class Checkout:
    """A repository with our Makefile and a `gh` that answers from files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
        (folder / "bin").mkdir()
        (folder / "bin" / "gh").write_text(GH)
        (folder / "bin" / "gh").chmod(0o755)
        for command in (["init", "-q"], ["add", "Makefile"], ["commit", "-q", "-m", "x"]):
            self.git("-c", "user.name=x", "-c", "user.email=x@example.com", *command)
        self.tree = self.git("rev-parse", "HEAD^{tree}").strip()

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout

    def offer(self, *runs: tuple[str, str]) -> None:
        """Runs with an artifact of the plan's name, newest first: id, and what GitHub says of it."""
        (self.folder / "runs").write_text("\n".join(name for name, _ in runs))
        for name, said in runs:
            (self.folder / f"run-{name}").write_text(said.format(tree=self.tree))
            artifact = self.folder / f"artifact-{name}"
            (artifact / ".venv" / "bin").mkdir(parents=True)
            (artifact / ".venv" / "bin" / "python").write_text("#!/bin/sh\n")
            for file in ("plan-staging.json", "preview-staging.txt"):
                (artifact / file).write_text(name)

    def make(self, *arguments: str) -> tuple[bool, str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        environment = {"PATH": path, "GITHUB_REPOSITORY": "example/app", "STACK": "staging"}
        command = ["make", "-s", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode == 0, done.stdout + done.stderr

    def plan(self) -> str:
        path = self.folder / "plan-staging.json"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_newest_preview_of_this_tree_is_taken_and_nothing_but_its_two_files(checkout: Checkout) -> None:
    checkout.offer(("3", OURS), ("2", OURS))
    done, said = checkout.make("approved-plan")
    assert (True, "3", False) == (done, checkout.plan(), (checkout.folder / ".venv").exists()), said
    assert "3" == (checkout.folder / "preview-staging.txt").read_text()


@pytest.mark.parametrize(
    "said",
    [
        ".github/workflows/other.yml pull_request {tree}",
        ".github/workflows/preview.yml push {tree}",
        ".github/workflows/preview.yml pull_request 0123456789abcdef0123456789abcdef01234567",
        "",
    ],
)
def test_an_artifact_of_the_right_name_from_another_run_is_passed_over(said: str, checkout: Checkout) -> None:
    checkout.offer(("3", said), ("2", OURS))
    assert (True, "2") == (checkout.make("approved-plan")[0], checkout.plan())


def test_without_a_preview_of_this_tree_there_is_no_plan(checkout: Checkout) -> None:
    checkout.offer(("3", ".github/workflows/other.yml push {tree}"))
    done, said = checkout.make("approved-plan")
    assert (False, True, "") == (done, "staging has no plan for this tree" in said, checkout.plan())


def test_the_run_that_made_a_plan_itself_needs_no_search(checkout: Checkout) -> None:
    checkout.offer(("7", "its own run"))
    assert (True, "7") == (checkout.make("approved-plan", "RUN=7")[0], checkout.plan())


@pytest.mark.parametrize("file", ["plan-staging.json", "preview-staging.txt"])
def test_a_link_in_the_place_of_a_file_is_refused(file: str, checkout: Checkout) -> None:
    checkout.offer(("3", OURS))
    (checkout.folder / "artifact-3" / file).unlink()
    (checkout.folder / "artifact-3" / file).symlink_to("/etc/hostname")
    assert not checkout.make("approved-plan")[0]


def test_a_preview_that_does_not_fit_into_a_comment_is_said_to_be_cut(checkout: Checkout) -> None:
    (checkout.folder / "preview-staging.txt").write_text("short")
    (checkout.folder / "preview-prod.txt").write_text("+ é\n" * 9000)
    done, said = checkout.make("comment")
    result = (checkout.folder / "posted").read_text(encoding="utf-8")
    assert (True, 1) == (done, result.count("**Cut:** 25000 of 45000 bytes are shown.")), said


def test_no_line_of_a_preview_ends_its_block(checkout: Checkout) -> None:
    for stack in ("staging", "prod"):
        (checkout.folder / f"preview-{stack}.txt").write_text("a\n~~~~\n@everyone\n~~~~~~\n")
    assert checkout.make("comment")[0]
    result = (checkout.folder / "posted").read_text(encoding="utf-8")
    assert ["~~~~diff", "~~~~"] * 2 == [line for line in result.splitlines() if line.startswith("~~~")]
