"""Evidence on its way through a task's log: whole and with the right nonce, or not at all."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from atlas_access.manifest.load import load_manifest
from atlas_access.proof import inside
from atlas_access.proof.evidence import Attempt, Proof
from atlas_access.proof.expectations import expectations
from atlas_access.proof.proof_task import ProofTask
from atlas_access.proof.request import LARGEST, ProofRequest, pack, unpack
from atlas_access.proof.task_runner import assembled
from atlas_access.proof.verdict import Outcome

ROOT = Path(__file__).parents[2]
MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
NONCE = "a" * 32
EVIDENCE = json.dumps({"attempts": [str(number) * 40 for number in range(3000)]})


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The evidence in several lines."""
    monkeypatch.setattr(inside, "PART", 500)
    made = list(inside.lines(EVIDENCE, NONCE))
    assert len(made) > 3
    return made


def test_the_lines_make_up_the_evidence_again_in_any_order_and_among_other_lines(parts: list[str]) -> None:
    noise = ["starting", "{}", "[1]", '{"atlasAccessProof": 3}']
    assert EVIDENCE == assembled([*noise, *reversed(parts), parts[0]], NONCE)


def test_a_missing_line_is_no_evidence(parts: list[str]) -> None:
    assert all(assembled(parts[:n] + parts[n + 1 :], NONCE) is None for n in range(len(parts)))


def test_lines_of_another_proof_are_not_taken(parts: list[str]) -> None:
    assert assembled(parts, "b" * 32) is None


@pytest.mark.parametrize(
    "change",
    [{"of": 99}, {"part": 0}, {"part": "1"}, {"data": 5}, {"data": "AAAA"}, {"of": 10**9}],
    ids=["another count", "no number", "a text", "no data", "other data", "far too many"],
)
def test_an_odd_line_with_the_nonce_makes_all_doubtful(parts: list[str], change: dict[str, object]) -> None:
    odd = json.dumps({**json.loads(parts[0]), **change})
    assert assembled([*parts, odd], NONCE) is None


def test_what_unfolds_to_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        unpack(pack("a" * (LARGEST + 1)))


@pytest.mark.parametrize("text", ["", "?", "aGVsbG8=", pack("x")[:-8]])
def test_what_is_not_packed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="packed"):
        unpack(text)


def test_a_request_comes_out_as_it_went_in() -> None:
    request = ProofRequest(
        expectations(MANIFEST, "app_read", "staging"), "prod", "arn", "v1", "us-east-1", "private", ("h:1",)
    )
    assert request == ProofRequest.unpack(request.pack())


def test_every_users_request_fits_into_a_task_definition() -> None:
    """ECS takes 64 KiB for a task definition."""
    requests = [
        ProofRequest(expectations(MANIFEST, user, env), env, "arn", "v", "us-east-1")
        for user in MANIFEST.users
        for env in MANIFEST.environments
    ]
    assert max(len(request.pack()) for request in requests) < 16_384


def test_a_whole_proof_fits_into_one_line_of_a_log() -> None:
    request = ProofRequest(expectations(MANIFEST, "app_write", "staging"), "staging", "arn", "v", "us-east-1")
    blank = Proof(
        *("app_write", "staging", "staging", "public", "v", "d", "6.0.5"),
        (),
        (),
        (),
        "",
        "2026-01-01T00:00:00Z",
        1.0,
    )
    attempts = tuple(
        Attempt(cell.operation, str(cell.place), cell.outcome, Outcome.DENIED, 13, "Unauthorized", number / 7)
        for number, cell in enumerate(request.expectations.table)
    )
    assert 1 == len(list(inside.lines(replace(blank, attempts=attempts).to_json(), NONCE)))


def test_a_tasks_place_comes_out_as_it_went_in() -> None:
    place = ProofTask("c", "s", "f", "arn:role", ("subnet-1",), ("sg-1",))
    assert place == ProofTask.from_json(place.to_json())
    with pytest.raises(ValueError, match="place"):
        ProofTask.from_json("{}")


def test_without_a_request_the_task_says_so_and_shows_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "canary-password"
    monkeypatch.setenv(inside.CONNECTION, f"mongodb://u:{password}@127.0.0.1/askflorence")
    monkeypatch.delenv(inside.REQUEST, raising=False)
    assert 2 == inside.main()
    assert "canary" not in "".join(capsys.readouterr())
