"""The guards over two small applications: each planted mistake is found at its line, the clean twins raise no alarm."""

import re
from functools import cache
from pathlib import Path

import pytest

from atlas_access.base import Status
from atlas_access.code.idioms import read_idioms
from atlas_access.code.names import names_of
from atlas_access.code.project import Project
from atlas_access.guards import env_var_coverage, no_uri_in_git, reference_collections, silent_fall_back
from atlas_access.guards.finding import Guard, Report
from atlas_access.guards.source import read_tree
from tests.unit.manifests import manifest as committed_manifest

FIXTURES = Path(__file__).parents[1] / "fixtures"
APPLICATIONS = ("typescript_app", "python_app")
_PLANTED = re.compile(r"PLANTED (?P<guard>[a-z-]+)")


@cache
def reports(root: Path) -> dict[Guard, Report]:
    tree, manifest = read_tree(root), committed_manifest()
    project = Project(tree.files, names_of(manifest), read_idioms())
    found = (
        env_var_coverage.check(manifest, project),
        silent_fall_back.check(project),
        reference_collections.check(manifest, project),
        no_uri_in_git.check(tree.files),
    )
    return {each.guard: each for each in found}


def planted(root: Path) -> set[tuple[str, str, int]]:
    found = {
        (match["guard"], file.relative_to(root).as_posix(), number)
        for file in root.rglob("*")
        if file.is_file()
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        for match in _PLANTED.finditer(line)
    }
    if "typescript" in root.parent.name:
        found.add(("env-var-coverage", "Dockerfile", 2))  # a Dockerfile has no comment behind an instruction
    return found


@pytest.mark.parametrize("application", APPLICATIONS)
def test_each_planted_mistake_is_found_at_its_line_and_no_other(application: str) -> None:
    root = FIXTURES / application / "planted"
    found = {
        (guard.value, finding.place.path, finding.place.line)
        for guard, each in reports(root).items()
        for finding in each.findings
        if finding.place.path != "access.yaml"
    }
    assert planted(root) == found


@pytest.mark.parametrize("application", APPLICATIONS)
def test_the_clean_twin_raises_no_alarm(application: str) -> None:
    found = reports(FIXTURES / application / "clean")
    assert dict.fromkeys(found, Status.GOOD) == {guard: each.status for guard, each in found.items()}, [
        (finding.place, finding.message) for each in found.values() for finding in each.findings
    ]


@pytest.mark.parametrize("application", APPLICATIONS)
def test_every_finding_names_the_remedy(application: str) -> None:
    for each in reports(FIXTURES / application / "planted").values():
        assert all(finding.remedy.endswith((".", "?")) for finding in each.findings)


def test_a_deprecated_variable_comes_with_the_replacement_to_write() -> None:
    findings = reports(FIXTURES / "python_app" / "planted")[Guard.ENV_VAR_COVERAGE].findings
    assert "Write MONGODB_WRITE_URI instead." in {finding.remedy for finding in findings}


def test_no_finding_repeats_a_password() -> None:
    for application in APPLICATIONS:
        text = str(reports(FIXTURES / application / "planted"))
        assert not re.search(r"pV7kq2Zt9XwLmN4s|Qx81bTzzk0PlmV|zR4wq9LkT2pX", text)
