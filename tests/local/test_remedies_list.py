"""tests/remedies.yaml names the test that carries out the remedy of each code, or why none does."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from atlas_access.drift import Kind
from atlas_access.guards import Guard
from atlas_access.proof.evidence import Subject
from atlas_access.retirement.model import CONDITIONS, SOAKED

ROOT = Path(__file__).parents[2]
LIST = yaml.safe_load((ROOT / "tests" / "remedies.yaml").read_text())


def literal_codes() -> set[str]:
    """The codes of findings with a remedy that the program writes as they are."""
    found = set()
    for path in ROOT.glob("atlas_access/**/*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "Finding":
                continue
            given = {each.arg: each.value for each in call.keywords}
            code = given.get("code")
            remedied = len(call.args) > 3 or "remedy" in given
            if remedied and isinstance(code, ast.Constant):
                found.add(code.value)
    return found


CODES: dict[str, set[str]] = {
    "drift": {each.value for each in Kind},
    "guards": {each.value for each in Guard},
    "proof": {each.value for each in Subject},
    "retirement": {*CONDITIONS, SOAKED},
    "check": literal_codes(),
}


@pytest.mark.parametrize("area", sorted(CODES))
def test_every_code_with_a_remedy_is_listed_and_no_other(area: str) -> None:
    assert CODES[area] == set(LIST[area])


def test_every_area_is_collected() -> None:
    """Each rule of the policy pack has its compliant twins, which the corpus holds."""
    assert {*CODES, "policy"} == set(LIST)


def entries() -> Iterator[Any]:
    yield LIST["policy"]
    for area in CODES:
        yield from LIST[area].values()


def test_each_entry_names_a_test_that_is_there_or_a_reason() -> None:
    for entry in entries():
        assert 1 == len(entry), entry
        if "test" in entry:
            file, name = entry["test"].split("::")
            defined = {
                each.name
                for each in ast.parse((ROOT / file).read_text()).body
                if isinstance(each, ast.FunctionDef)
            }
            assert name in defined, entry["test"]
        else:
            assert len(entry["reason"]) > 40, entry
