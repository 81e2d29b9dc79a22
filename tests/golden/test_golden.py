"""What the commands print, the program registers, the pack says and HTTP carries is as committed.

After a wanted change: `make golden`, then read the difference line by line. The sandbox's part is in `make soak`.
"""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).with_name("data")


def files(folder: Path, place: str) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob(f"{place}/*"))}


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory):
    @cache
    def capture(place: str) -> dict[str, str]:
        folder = tmp_path_factory.mktemp("golden")
        subprocess.run([sys.executable, "-m", "tests.golden.capture", folder, place], cwd=ROOT, check=True)
        return files(folder, place)

    return capture


@pytest.mark.parametrize("name", files(DATA, "here"))
def test_what_needs_no_sandbox_is_as_committed(captured, name: str) -> None:
    assert files(DATA, "here")[name] == captured("here")[name]


def test_no_file_is_captured_that_is_not_committed(captured) -> None:
    assert list(files(DATA, "here")) == list(captured("here"))


@pytest.mark.soak
@pytest.mark.parametrize("name", files(DATA, "world"))
def test_what_a_sandbox_answers_and_is_asked_is_as_committed(captured, name: str) -> None:
    assert files(DATA, "world")[name] == captured("world")[name]
