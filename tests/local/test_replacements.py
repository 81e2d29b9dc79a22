"""Phase F as a patch: every deprecated name replaced, and taken back by the same patch, to the byte."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from atlas_access.cli.main import run
from atlas_access.code.language import Language, SourceFile
from atlas_access.guards.replacements import patch
from tests.unit.manifests import ROOT, manifest

OLD = [each.name for each in manifest().deprecated_variables]
NEW = {each.name: each.successor for each in manifest().deprecated_variables}
BEFORE = """\
import { MongoClient } from "mongodb";
const plans = process.env.MONGODB_URI_PLANS_WRITE ?? process.env.MONGODB_URI_SURVEY_WRITE;
const both = [process.env.MONGODB_WRITE_URI, process.env.MONGODB_URI_AGENTS_ADMIN];
const reader = process.env.MONGODB_URI_AUDIT_READ
"""
AFTER = """\
import { MongoClient } from "mongodb";
const plans = process.env.MONGODB_WRITE_URI ?? process.env.MONGODB_WRITE_URI;
const both = [process.env.MONGODB_WRITE_URI, process.env.MONGODB_WRITE_URI];
const reader = process.env.MONGODB_URI
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with the old source, its last line unfinished."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "db.ts").write_text(BEFORE.rstrip("\n"))
    return tmp_path


def applied(tree: Path, text: str, *how: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["git", "-C", str(tree), "apply", *how, "-"], input=text, text=True, capture_output=True, check=False
    )
    return done.returncode, (tree / "src" / "db.ts").read_text(), done.stderr


def guard(tree: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(
        ["guard", "env-var-coverage", "--manifest", str(ROOT / "access.yaml"), "--source", str(tree), *more]
    )
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_the_patch_is_taken_back_to_the_byte(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = guard(tree, capsys, "--patch")
    assert (0, (0, AFTER.rstrip("\n"), "")) == (code, applied(tree, text))
    assert (0, BEFORE.rstrip("\n"), "") == applied(tree, text, "--reverse")
    assert (0, "", "nothing to replace\n") == guard(tree, capsys, "--patch", "--exclude", "src")


def test_a_moved_line_is_found_a_changed_one_reported(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tree / "src" / "db.ts"
    file.write_text(
        "// first\n" + BEFORE.replace("const both", "const a = 1;\nconst b = 2;\nconst c = 3;\nconst both")
    )
    text = guard(tree, capsys, "--patch")[1]
    after = applied(tree, text)[1]
    file.write_text("// a new first line\n" + after.replace("const both", "export const both"))
    code, back, said = applied(tree, text, "--reverse", "--reject")
    assert (1, True) == (code, "Rejected hunk #2" in said)
    assert ("MONGODB_URI_PLANS_WRITE" in back, "MONGODB_URI_AGENTS_ADMIN" in back) == (True, False)


def test_a_patch_of_another_guard_is_refused(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["guard", "all", "--source", str(tree), "--patch"])
    assert "--patch belongs to env-var-coverage" in capsys.readouterr().err


@given(st.lists(st.lists(st.sampled_from([*OLD, *NEW.values(), "OTHER"]), max_size=3), max_size=6))
def test_every_deprecated_name_is_replaced_and_no_other_line_changed(rows: list[list[str]]) -> None:
    before = [f"use({', '.join(f'process.env.{name}' for name in row)});" for row in rows]
    wanted = [f"use({', '.join(f'process.env.{NEW.get(name, name)}' for name in row)});" for row in rows]
    text = patch(
        manifest(), [SourceFile("a.ts", "".join(f"{each}\n" for each in before), Language.TYPESCRIPT)]
    )
    lines = text.splitlines()[2:]
    # A diff may take an unchanged line away and put it back beside a changed one.
    added = Counter(line[1:] for line in lines if line[:1] == "+")
    removed = Counter(line[1:] for line in lines if line[:1] == "-")
    changed = [pair for pair in zip(before, wanted, strict=True) if pair[0] != pair[1]]
    assert Counter(old for old, _ in changed) - Counter(new for _, new in changed) == removed - added
    assert Counter(new for _, new in changed) - Counter(old for old, _ in changed) == added - removed
