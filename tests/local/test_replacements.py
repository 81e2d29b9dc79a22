"""Phase F as a patch: every deprecated name replaced, and taken back by the list that was kept, to the byte."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from atlas_access.cli.main import run
from atlas_access.code.language import Language, SourceFile
from atlas_access.guards.replacements import ListInvalid, from_json, patch, replacements, to_json
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


def applied(tree: Path, text: str) -> str:
    subprocess.run(["git", "-C", str(tree), "apply", "-"], input=text, text=True, check=True)
    return (tree / "src" / "db.ts").read_text()


def guard(tree: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(
        ["guard", "env-var-coverage", "--manifest", str(ROOT / "access.yaml"), "--source", str(tree), *more]
    )
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_the_list_reverts_the_patch_to_the_byte(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = str(tree / "replaced.json")
    code, text, _ = guard(tree, capsys, "--list", kept)
    assert (0, AFTER.rstrip("\n")) == (code, applied(tree, text))
    code, text, _ = guard(tree, capsys, "--reverse", kept)
    assert (0, BEFORE.rstrip("\n")) == (code, applied(tree, text))


def test_a_moved_line_is_found_a_changed_one_reported(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = str(tree / "replaced.json")
    file = tree / "src" / "db.ts"
    applied(tree, guard(tree, capsys, "--list", kept)[1])
    file.write_text("// a new first line\n" + file.read_text().replace("const both", "export const both"))
    code, text, printed = guard(tree, capsys, "--reverse", kept)
    after = applied(tree, text)
    assert (1, True) == (code, "src/db.ts:3: changed since the list was written" in printed)
    assert ("MONGODB_URI_PLANS_WRITE" in after, "MONGODB_URI_AGENTS_ADMIN" in after) == (True, False)


def test_a_list_is_never_overwritten(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tree / "replaced.json"
    kept.write_text("the way back\n")
    code, _, printed = guard(tree, capsys, "--list", str(kept))
    assert (2, "the way back\n", True) == (code, kept.read_text(), "is there already" in printed)


@pytest.mark.parametrize(
    ("more", "expected"),
    [(["--reverse", "nowhere.json"], "nowhere.json"), (["--list", "a", "--reverse", "b"], "one of them")],
)
def test_a_wrong_use_is_refused(
    more: list[str], expected: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, printed = guard(tree, capsys, *more)
    assert (2, True) == (code, expected in printed)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "replacements": [{}]}', "[" * 9999]
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ListInvalid):
        from_json(text)


def test_a_list_edited_by_hand_cuts_no_line_to_pieces() -> None:
    file = SourceFile("db.ts", BEFORE, Language.TYPESCRIPT)
    listed = from_json(to_json(replacements(manifest(), [file])).replace('"MONGODB_URI_AUDIT_READ"', '"X"'))
    made = patch(listed, [file])
    assert ("db.ts:4",) == made.lost


def test_the_list_holds_no_source_text() -> None:
    file = SourceFile("db.ts", BEFORE.replace("const reader", "const hunter22"), Language.TYPESCRIPT)
    assert "hunter22" not in to_json(replacements(manifest(), [file]))


@given(st.lists(st.lists(st.sampled_from([*OLD, *NEW.values(), "OTHER"]), max_size=3), max_size=6))
def test_there_and_back_again_is_the_same_text(rows: list[list[str]]) -> None:
    text = "".join(f"use({', '.join(f'process.env.{name}' for name in row)});\n" for row in rows)
    listed = replacements(manifest(), [SourceFile("a.ts", text, Language.TYPESCRIPT)])
    assert sum(any(name in OLD for name in row) for row in rows) == len(listed)
    there = text
    for name in sorted(OLD, key=len, reverse=True):
        there = there.replace(f"{name})", f"{NEW[name]})").replace(f"{name},", f"{NEW[name]},")
    back = patch(from_json(to_json(listed)), [SourceFile("a.ts", there, Language.TYPESCRIPT)], reverse=True)
    assert () == back.lost
    lines = back.text.splitlines()[2:]
    # A patch may take an unchanged line away and put it back beside a changed one.
    added = Counter(line[1:] for line in lines if line[:1] == "+")
    removed = Counter(line[1:] for line in lines if line[:1] == "-")
    wanted = [
        line for line, row in zip(text.splitlines(), rows, strict=True) if any(name in OLD for name in row)
    ]
    assert Counter(wanted) == added - removed
