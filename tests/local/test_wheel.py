"""The wheel: one top-level package that works where no checkout is."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from atlas_access.cli.main import main; main()"

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the tracked files, unpacked."""
    source, built, unpacked = (tmp_path_factory.mktemp(name) for name in ("source", "built", "unpacked"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.txt"):
        shutil.copy(ROOT / name, source / name)
    for name in ("atlas_access", "docs", "policy"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "-c", BUILD, str(built)], cwd=source, check=True, capture_output=True, text=True
    )
    (made,) = built.glob("*.whl")
    zipfile.ZipFile(made).extractall(unpacked)
    return unpacked


def installed(wheel: Path, folder: Path, *arguments: str, given: str = "") -> tuple[int, str]:
    """Run the wheel's command in a folder without a checkout: its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(wheel), *arguments],
        cwd=folder, check=False, capture_output=True, text=True, input=given,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_wheel_holds_one_top_level_package(wheel: Path) -> None:
    assert ["atlas_access"] == [each.name for each in wheel.iterdir() if not each.name.endswith(".dist-info")]


def test_guards_run_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "access.yaml", tmp_path)
    (tmp_path / "app.py").write_text("print('no database here')\n")
    code, shown = installed(wheel, tmp_path, "guard", "all", "--format", "json")
    expected = ["env-var-coverage", "silent-fall-back", "reference-collections", "no-uri-in-git", "docs-sync"]
    assert (True, expected) == (code in (1, 3), [each["guard"] for each in json.loads(shown)["guards"]])


def test_the_policy_pack_travels_with_the_wheel(wheel: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "access.yaml", tmp_path)
    code, shown = installed(wheel, tmp_path, "explain", "user-cap")
    assert (0, "user-cap: A cluster has at most") == (code, shown[:31])
    code, shown = installed(wheel, tmp_path, "check")
    assert (0, "AGREE  manifest and law say the same") == (code, shown[:36])


@pytest.mark.parametrize("verb", ["prove", "drift", "status", "rollback"])
def test_a_verb_shows_its_help_from_the_wheel(wheel: Path, tmp_path: Path, verb: str) -> None:
    code, shown = installed(wheel, tmp_path, verb, "--help")
    assert (0, True) == (code, f"Usage: atlas-access {verb}" in shown)


@pytest.mark.parametrize("arguments", [["sandbox", "up"], ["sandbox", "replay", "--all"]])
def test_a_verb_that_needs_a_checkout_says_so(wheel: Path, tmp_path: Path, arguments: list[str]) -> None:
    expected = (
        "The sandbox is not part of the installed package. Clone the repository, run `make install` there, "
        "and run this command in that folder.\n"
    )
    assert (2, expected) == installed(wheel, tmp_path, *arguments)
