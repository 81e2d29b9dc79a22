"""What the program hands to each proof: where it runs, what it may fall back to, what it waits for."""

import json

import pytest
from recorder import Recorder, program, run

from atlas_access.proof.proof_task import ProofTask

GOOD = "mongodb://app_read:Pw@127.0.0.2:27118/askflorence?authSource=admin&directConnection=true"
PUBLIC = "mongodb://127.0.0.1:27117/?replicaSet=rs"


class Other(Recorder):
    """Staging's stack as prod sees it, with the address that it exports."""

    def new_resource(self, args):
        made, outputs = super().new_resource(args)
        if args.typ.endswith("StackReference"):
            outputs["outputs"] = {"referenceConnection": GOOD, "referencePublicAddress": self.address}
        return made, outputs

    address = PUBLIC


def proofs(stack="staging", recorder=None, **changes):
    """The inputs of every proof of a stack, by name."""
    return run(recorder or Recorder(), program(stack, **changes), stack).of("PrivilegeProof")


def test_without_a_task_family_every_proof_runs_here() -> None:
    assert {("here", "")} == {(each["runner"], each["task"]) for each in proofs().values()}


def test_with_a_task_family_each_proof_runs_with_its_own_tasks_execution_role() -> None:
    made = proofs(proofTaskFamily="atlas-access-proof")
    places = {name: ProofTask.from_json(each["task"]) for name, each in made.items()}
    roles = {name: place.execution_role.rpartition("/")[2] for name, place in places.items()}
    assert {"task"} == {each["runner"] for each in made.values()}
    assert {"atlas-access-proof"} == {place.family for place in places.values()}
    assert "schema-execution" == roles.pop("admin-schema")
    assert {"runtime-execution"} == set(roles.values())


def test_a_proof_waits_for_its_own_cluster_and_for_no_other_projects() -> None:
    made = proofs("prod", Other())
    waits = {name: each["atlas_cluster"] for name, each in made.items()}
    assert "" == waits.pop("reference-uri-v2")
    assert {"askflorence-prod-01"} == set(waits.values())


def test_the_private_address_may_be_stood_in_for_by_the_public_one_that_staging_exports() -> None:
    made = proofs("prod", Other())
    reference = made["reference-uri-v2"]
    assert ("private", PUBLIC) == (reference["address"], reference["public_address"])
    assert {""} == {each["public_address"] for name, each in made.items() if name != "reference-uri-v2"}


def test_an_address_that_names_a_user_is_not_taken() -> None:
    class Leaking(Other):
        address = GOOD

    assert "" == proofs("prod", Leaking())["reference-uri-v2"]["public_address"]


def test_the_user_of_an_adopted_role_gets_time_for_its_denials() -> None:
    narrowed = {name for name, each in proofs().items() if each["narrowing"]}
    assert {"admin-schema"} == narrowed


def test_no_proof_is_handed_a_connection_string() -> None:
    assert "Pw@" not in json.dumps(proofs("prod", Other()), default=str)


def test_an_audit_log_made_anew_is_accepted_by_a_setting() -> None:
    stated = {"what": "audit-log-remade", "by": "platform", "at": "2026-06-01T09:00:00Z"}
    stated |= {"why": "a restore", "value": "a" * 32}
    accepted = {each["accepted_audit_uuid"] for each in proofs(acknowledged=[stated]).values()}
    assert {"a" * 32} == accepted


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("8.0.4", []),
        ("9.1.0", ["MongoDB 9.1.0 is newer than the privileges documented here; proofs compare it with 9.0"]),
        ("5.0.3", ["MongoDB 5.0.3: no documented privileges for this MongoDB version"]),
        ("", ["MongoDB (unknown): no documented privileges for this MongoDB version"]),
    ],
)
def test_a_clusters_version_without_documented_privileges_is_warned_of(
    version: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", lambda text, _: warned.append(text))
    run(Recorder(version=version), program())
    assert said == [text[: len(said[0])] for text in warned]
