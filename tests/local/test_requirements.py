"""What an installation reads: pinned and hashed, and without the address of any index."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(
    rb"--(?:default-|extra-)?index(?:-url)?[ =]|--find[-]links|^\s*(?:extra-)?index-url|/simple/?\s*$"
    rb"|(?:PIP|UV)_(?:\w+_)?(?:INDEX|FIND_LINKS)\w*\s*(?:[:?]?=|:)|registry\s*=\s*\S*https?:"
    rb"|\b(?:pypi|pythonhosted|npmjs)\.(?:org|com)\b",
    re.MULTILINE,
)
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)(?: #.*)?$", re.MULTILINE)


def test_no_tracked_file_names_the_address_of_an_index() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    named = [name for name in filter(None, tracked) if ADDRESS.search((ROOT / name).read_bytes())]
    assert [] == named


def test_every_requirement_of_the_lock_is_pinned_and_hashed() -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8").strip())
    hashed = re.compile(r"#|[\w.-]+==\S+.*\n +--hash=sha256:")
    assert [] == [each for each in entries if not hashed.match(each)]


def test_the_lock_holds_what_the_requirements_ask_for() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower().replace("_", "-")
    asked = "".join((ROOT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))
    pinned = [f"\n{re.sub('[_.]', '-', name.lower())}=={version} " for name, version in PINNED.findall(asked)]
    assert [] == [each for each in pinned if each not in lock]
