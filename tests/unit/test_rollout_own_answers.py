"""A rotation's gates are held to what runs before it answers, not to a baseline that releases have made old."""

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atlas_access.base import RotationStep, Settings, changed_versions, check_settings
from atlas_access.manifest import load_manifest
from atlas_access.rollout.gates import Round
from atlas_access.rollout.rotated import follows_at_once, held_alike
from atlas_access.rollout.smoke_gates import OwnAnswers, SmokeGates
from atlas_access.smoke import Baseline, Standing

ROOT = Path(__file__).parents[2]
MANIFEST = load_manifest((ROOT / "access.yaml").read_text())
module = import_module("atlas_access.rollout.smoke_gates")
OLD = Baseline("staging", "u", "s", "2026-05-12T09:14:00+00:00", "app:1", ("p",), {"plans": "[1]"})
NOW = Baseline("staging", "u", "s", "2026-11-30T09:14:00+00:00", "app:7", ("p",), {"plans": "[2]"})
ARN = "arn:aws:secretsmanager:us-east-1:111111111111:secret:{}-AbCdEf"


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gates that are red wherever the answers are not those of the baseline in force."""
    met = SimpleNamespace(standing=Standing.MET, failures=(), not_run=())

    def one_round(order: Any, **_: Any) -> Any:
        found = () if order.baseline is NOW else ("gate 2 plans: other plans",)
        return SimpleNamespace(
            standing=Standing.UNMET if found else Standing.MET, failures=found, not_run=(), results=()
        )

    monkeypatch.setattr(module, "one_round", one_round)
    monkeypatch.setattr(module, "first_answers", lambda *_, **__: (met, NOW))
    return SmokeGates


def order(gates: Any) -> Any:
    from dataclasses import make_dataclass

    made = make_dataclass("Order", [("baseline", object), ("smoke", object)], frozen=True)
    return gates(made(OLD, SimpleNamespace(ignore=())))


def test_the_answers_before_the_swap_count_after_it(gates: Any) -> None:
    said: list[str] = []
    own = OwnAnswers(order(gates), "app:7", said.append)
    assert [Round(), Round()] == [own.round(each, lambda: False) for each in ("app:7", "app:8")]
    assert 1 == len(said)
    assert said[0].startswith("since the baseline of 2026-05-12: plans")


def test_what_was_never_asked_before_the_swap_is_held_to_the_baseline(gates: Any) -> None:
    """After a crash, the next run begins on the new revision."""
    own = OwnAnswers(order(gates), "app:7", lambda _: None)
    assert ("gate 2 plans: other plans",) == own.round("app:8", lambda: False).failures


def definition(image: str = "i:1", **versions: str) -> dict[str, Any]:
    secrets = [
        {"name": name, "valueFrom": f"{ARN.format(name.lower())}:::{version}"}
        for name, version in versions.items()
    ]
    return {"family": "app", "containerDefinitions": [{"name": "app", "image": image, "secrets": secrets}]}


def _rotating(step: str) -> dict[str, Any]:
    return {"generations": {"app_write": 2}, "rotating": "app_write", "rotation_step": step}


def prod() -> Settings:
    files = {each: (ROOT / f"Pulumi.{each}.yaml").read_text() for each in ("staging", "prod")}
    return check_settings("prod", files, sandbox=True, overrides={"phase": "bind"})


V1, V2 = "1" * 8 + "-1111-1111-1111-" + "1" * 12, "2" * 8 + "-2222-2222-2222-" + "2" * 12


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (definition(A=V2, B=V1), {"A"}),
        (definition(A=V2, B=V2), {"A", "B"}),
        (definition(A=V1, B=V1), set()),
        (definition("i:2", A=V2, B=V1), set()),
        (definition(A=V2, B=V1, C=V1), set()),
        ({**definition(A=V2, B=V1), "tags": [{"key": "k", "value": "v"}]}, {"A"}),
    ],
)
def test_a_rotation_changes_versions_and_nothing_else(after: dict[str, Any], changed: set[str]) -> None:
    assert changed == changed_versions(definition(A=V1, B=V1), after, {"A", "B"})


def test_a_version_of_another_variable_is_another_change() -> None:
    assert set() == changed_versions(definition(A=V1, B=V1), definition(A=V2, B=V2), {"A"})


@pytest.mark.parametrize(
    ("after", "lease", "alike"),
    [
        (definition(A=V1), None, True),
        (definition(A=V2), None, False),
        (definition("i:2", A=V1), None, False),
        (definition(A=V1), "run", False),
        (definition(A=V1), 1, False),
    ],
)
def test_an_abort_moves_nothing_where_the_service_was_put_back(
    after: dict[str, Any], lease: Any, alike: bool
) -> None:
    """After a gate has failed, what runs is bound to the generation that the abort wants."""
    found = {
        "app:7": definition(A=V1),
        "app:9": {**after, "tags": [{"key": "atlas-access/repair", "value": "v"}]},
    }
    tags = SimpleNamespace(lease=lease if lease == "run" else None, held=0)
    service: Any = SimpleNamespace(definition=found.get)
    assert alike is held_alike(service, tags, "app:7", "app:9", lease if lease == 1 else 0)


@pytest.mark.parametrize(
    ("given", "changed", "follows"),
    [
        ({}, {"MONGODB_REFERENCE_URI"}, True),
        ({}, {"MONGODB_WRITE_URI"}, False),
        ({}, {"MONGODB_REFERENCE_URI", "MONGODB_URI"}, False),
        ({}, set(), False),
        (
            {"generations": {"app_write": 2}, "rotating": "app_write", "rotation_step": "revoke"},
            {"MONGODB_WRITE_URI", "MONGODB_URI_PLANS_WRITE"},
            True,
        ),
        (
            {"generations": {"app_write": 2}, "rotating": "app_write", "rotation_step": "move"},
            {"MONGODB_WRITE_URI"},
            False,
        ),
    ],
)
def test_only_a_handed_over_or_a_leaked_credential_needs_no_soak(
    given: Any, changed: set[str], follows: bool
) -> None:
    settings = prod().model_copy(
        update={**given, "rotation_step": RotationStep(given.get("rotation_step", "move"))}
    )
    assert follows is follows_at_once(MANIFEST, "prod", settings, frozenset(changed))
