"""The generated documents: in step with what they are made from, the same on every run, their links lead on."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from atlas_access.base.phases import Phase
from atlas_access.cli.main import run
from atlas_access.proof.verdict import Verdict
from atlas_access.retirement import env_example
from atlas_access.retirement.status import NAMES
from atlas_access.review.control_mapping import CONTROLS
from atlas_access.review.documents import documents
from atlas_access.smoke.gates import Gate
from policy.catalogue import CATALOGUE
from tests.unit.manifests import ROOT, edited, manifest

RULES = tuple(CATALOGUE.values())
_LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)\s]*)?\)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def test_the_committed_documents_are_in_step(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["docs", "--check", "--manifest", str(ROOT / "access.yaml")])
    assert 0 == code, capsys.readouterr().out + "Write them anew: make docs"


def test_equal_inputs_give_equal_documents() -> None:
    assert documents(manifest(), RULES) == documents(manifest(), RULES)


def test_a_changed_manifest_is_out_of_step_until_the_documents_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in documents(manifest(), RULES):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    changed = edited(("  regions: {class: public", "  areas: {class: public"))
    (tmp_path / "access.yaml").write_text(changed, encoding="utf-8")
    command = ["docs", "--manifest", str(tmp_path / "access.yaml")]
    assert [1, 0, 0] == [run([*command, "--check"]), run(command), run([*command, "--check"])]
    printed = capsys.readouterr().out
    assert "docs/access-matrix.md:" in printed
    assert "written  docs/access-matrix.html" in printed
    assert "docs/policies.md" not in printed


def test_a_missing_document_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ROOT / "access.yaml", tmp_path / "access.yaml")
    assert 1 == run(["docs", "--check", "--manifest", str(tmp_path / "access.yaml")])
    assert ".env.example: a generated document is missing [docs-sync]" in capsys.readouterr().out


def test_the_example_of_variables_holds_every_local_variable_and_no_value() -> None:
    lines = env_example.render(manifest()).splitlines()
    assigned = [line for line in lines if line and not line.startswith("#")]
    names = ("MONGODB_URI", "MONGODB_REFERENCE_URI", "MONGODB_WRITE_URI", "MONGODB_AUDIT_WRITE_URI")
    assert [f"{name}=" for name in names] == assigned


def test_every_rule_stands_in_the_catalogue_and_serves_a_mapped_control() -> None:
    page = documents(manifest(), RULES)["docs/policies.md"]
    assert [rule.name for rule in RULES] == re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert {name for rule in RULES for name in rule.frameworks} <= {control.name for control in CONTROLS}


def test_every_piece_of_evidence_is_there() -> None:
    missing = [each.path for row in CONTROLS for each in row.evidence if not (ROOT / each.path).exists()]
    assert [] == missing


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_every_link_of_a_document_leads_to_a_file(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [match["target"] for match in _LINK.finditer(text) if "://" not in match["target"]]
    assert [] == [target for target in targets if not (page.parent / target).exists()]


@pytest.mark.parametrize(
    "name", ["provision", "bind", "rollback", "retire", "rotate", "incident", "remove", "terraform-handover"]
)
def test_every_runbook_is_there_and_short(name: str) -> None:
    lines = (ROOT / "docs" / "runbooks" / f"{name}.md").read_text(encoding="utf-8").splitlines()
    assert 10 < len(lines) < 60


@pytest.mark.thorough
def test_the_documents_build_as_a_site_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)


def test_every_page_is_two_links_away_from_the_index() -> None:
    def linked(page: Path) -> set[Path]:
        targets = (match["target"] for match in _LINK.finditer(page.read_text(encoding="utf-8")))
        return {(page.parent / each).resolve() for each in targets if each.endswith(".md")}

    first = linked(ROOT / "docs" / "index.md")
    reached = first.union(*map(linked, first))
    pages = {page.resolve() for page in ROOT.glob("docs/*.md")} | set(ROOT.glob("docs/runbooks/*.md"))
    assert set() == pages - reached - {ROOT / "docs" / "index.md"}


def test_the_glossary_has_every_gate_phase_and_verdict() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    gates = [f"| {gate.value} " for gate in Gate]
    phases = [f"| {step.value} {name} |" for step, name in NAMES.items()]
    others = [f"| {each} |" for each in ("residue", "lease", "hold", *Verdict, *(f"`{p}`" for p in Phase))]
    assert [] == [each for each in (*gates, *phases, *others) if each not in text]


@pytest.mark.thorough
def test_the_commands_that_runbooks_name_exist() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in ROOT.glob("docs/runbooks/*.md"))
    named = set(re.findall(r"`atlas-access\s+([a-z-]+)", text))
    assert set() == {command for command in named if run([command, "--help"]) != 0}
