"""The values of secrets and of local files over their corpus: each mistake is found, each right value passes."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from atlas_access.base import Address
from atlas_access.guards.local_values import value_problems
from atlas_access.manifest import LOCAL
from tests.unit.manifests import manifest

CASES = YAML(typ="safe").load((Path(__file__).parents[1] / "corpus" / "stored-values.yaml").read_text())
PASSWORD = "hR7" + "kq2Zt9XwLm"
PARTS = {
    "SRV": f"mongodb+srv://app_read:{PASSWORD}@staging.ab1cd.mongodb.net/askflorence",
    "STANDARD": f"mongodb://app_read:{PASSWORD}@staging-shard-00-00.ab1cd.mongodb.net:27017/askflorence",
    "GOOD": "retryWrites=true&w=majority",
    "WORD": PASSWORD,
}


def problems(text: str) -> list[str]:
    for part, put in PARTS.items():
        text = text.replace(part, put)
    declared = manifest()
    binding = next(each for each in declared.bindings_for(LOCAL) if each.variable == "MONGODB_URI")
    assert binding.address is Address.PUBLIC
    return list(value_problems(declared, binding, text, "staging"))


def test_the_corpus_is_large_enough() -> None:
    assert (True, True) == (len(CASES["planted"]) >= 60, len(CASES["innocent"]) >= 40)


@pytest.mark.parametrize("text", CASES["planted"])
def test_a_mistake_is_found_and_no_message_shows_the_password(text: str) -> None:
    found = problems(text)
    assert found
    assert PASSWORD not in " ".join(found)


@pytest.mark.parametrize("text", CASES["innocent"])
def test_a_right_value_passes(text: str) -> None:
    assert [] == problems(text)
