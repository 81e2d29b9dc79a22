"""`PrivilegeProof` as the engine's dynamic host runs it: secret read at the moment of use, verdict recorded."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import dill
import grpc
import pytest
from mongod_fixture import Cluster, encodings
from moto.server import ThreadedMotoServer
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from atlas_access.proof.code_digest import code_digest, decisive_files
from atlas_access.proof.evidence import Proof
from atlas_access.proof.expectations import expectations
from probes.proof import TYPE, PrivilegeProof, PrivilegeProofProvider

PROVIDER = PrivilegeProofProvider()


@dataclass
class Account:
    """An AWS account on loopback, with the overlay's variables set for this process."""

    client: Any
    environment: dict[str, str]

    def keep(self, name: str, text: str) -> tuple[str, str]:
        made = self.client.create_secret(Name=name, SecretString=text)
        return made["ARN"], made["VersionId"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def account(address: str, monkeypatch: pytest.MonkeyPatch) -> Account:
    overlay = {
        "ATLAS_ACCESS_SANDBOX": "1",
        "AWS_ENDPOINT_URL": address,
        **dict.fromkeys(
            (
                "MONGODB_ATLAS_BASE_URL",
                "ATLAS_ACCESS_SMOKE_URL",
                "ATLAS_ACCESS_CONTACTS_URL",
                "GITHUB_API_URL",
            ),
            "http://127.0.0.1:1/",
        ),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    for name, value in overlay.items():
        monkeypatch.setenv(name, value)
    return Account(boto3.client("secretsmanager", region_name="us-east-1", endpoint_url=address), overlay)


@pytest.fixture
def inputs(cluster: Cluster, account: Account, request: pytest.FixtureRequest) -> dict[str, Any]:
    arn, version = account.keep(f"staging/{request.node.name}", cluster.uri("app_audit_writer"))
    expected = expectations(cluster.manifest, "app_audit_writer", "staging")
    return {
        "user": "app_audit_writer",
        "environment": "staging",
        "cluster": "staging",
        "address": "public",
        "secret_arn": arn,
        "secret_version": version,
        "expectations": expected.to_json(),
        "expectations_digest": expected.digest,
        "region": "us-east-1",
        "runner": "here",
        "deadline_seconds": 60.0,
        "expected_hosts": [cluster.server.address],
        "narrowing": False,
        "propagation_seconds": 0.0,
        "accepted_audit_uuid": "",
        "code_digest": code_digest(),
        "row": "",
    }


def _created(inputs: dict[str, Any]) -> dict[str, Any]:
    outs = PROVIDER.create(inputs).outs
    assert outs is not None
    return outs


def test_a_proven_credential_echoes_its_version_and_carries_its_evidence(inputs: dict[str, Any]) -> None:
    outs = _created(inputs)
    proof = Proof.from_json(outs["evidence"])
    found = (outs["verdict"], outs["reason"], outs["secret_version"])
    assert ("proven", "", inputs["secret_version"]) == found
    assert (len(proof.attempts), 0, 0) == (outs["attempts"], outs["inconclusive"], outs["residue"])


def test_a_refuted_proof_is_recorded_and_proven_again_after_the_role_is_corrected(
    cluster: Cluster, inputs: dict[str, Any]
) -> None:
    declared = cluster.declared_privileges("role_audit_writer")
    update = {"resource": {"db": "askflorence", "collection": "agent_audit_log"}, "actions": ["update"]}
    cluster.set_role("role_audit_writer", [*declared, update])
    refuted = _created(inputs)
    cluster.set_role("role_audit_writer", declared)
    assert refuted["reason"].startswith("app_audit_writer can change documents")
    assert PROVIDER.diff("id", refuted, inputs).changes
    assert "proven" == PROVIDER.update("id", refuted, inputs).outs["verdict"]


def test_a_secret_version_that_is_not_there_is_inconclusive(inputs: dict[str, Any]) -> None:
    outs = _created({**inputs, "secret_version": "0" * 32})
    assert "inconclusive" == outs["verdict"]
    assert "AWS answered ResourceNotFoundException (Secrets Manager can't find the" in outs["reason"]


def test_no_output_holds_the_password(cluster: Cluster, inputs: dict[str, Any]) -> None:
    text = json.dumps(_created(inputs))
    assert [] == [form for form in encodings(cluster.password("app_audit_writer")) if form in text]


def test_a_proof_as_it_stands_needs_no_renewal(inputs: dict[str, Any]) -> None:
    assert not PROVIDER.diff("id", {**inputs, "verdict": "proven"}, inputs).changes


@pytest.mark.parametrize(
    "name",
    [
        "secret_arn",
        "secret_version",
        "expectations_digest",
        "address",
        "runner",
        "code_digest",
        "expected_hosts",
    ],
)
def test_a_change_of_what_decides_a_proof_renews_it(inputs: dict[str, Any], name: str) -> None:
    assert PROVIDER.diff("id", {**inputs, "verdict": "proven", name: "another"}, inputs).changes


@pytest.mark.parametrize("name", ["deadline_seconds", "region", "row", "narrowing", "expectations"])
def test_a_change_of_how_a_proof_is_run_does_not_renew_it(inputs: dict[str, Any], name: str) -> None:
    assert not PROVIDER.diff("id", {**inputs, "verdict": "proven", name: "another"}, inputs).changes


def test_a_refresh_doubts_a_record_only_where_the_server_refuses_the_login(
    cluster: Cluster, account: Account, inputs: dict[str, Any]
) -> None:
    def read(recorded: dict[str, Any]) -> dict[str, Any]:
        return dict(PROVIDER.read("id", recorded).outs or {})

    recorded = _created(inputs)
    arn, version = account.keep("staging/nowhere", cluster.uri("app_audit_writer", address="127.0.0.1:1"))
    away = {**recorded, "secret_arn": arn, "secret_version": version}
    assert recorded == read(recorded)
    cluster.root.admin.command("dropUser", "app_audit_writer")
    refused = read(recorded)
    assert (away, refused["verdict"]) == (read(away), "inconclusive")
    public = f"mongodb://{cluster.server.address}"
    assert "inconclusive" == read({**away, "public_address": public})["verdict"]
    password, roles = cluster.password("app_audit_writer"), cluster.declared_roles("app_audit_writer")
    cluster.root.admin.command("createUser", "app_audit_writer", pwd=password, roles=roles)
    reason = "app_audit_writer can no longer log in (code 18 AuthenticationFailed)"
    assert (reason, recorded["audit_uuid"]) == (refused["reason"], refused["audit_uuid"])
    assert PROVIDER.diff("id", refused, inputs).changes
    assert "proven" == PROVIDER.update("id", refused, inputs).outs["verdict"]


def test_an_unknown_runner_is_refused_with_those_there_are(inputs: dict[str, Any]) -> None:
    failures = PROVIDER.check({}, {**inputs, "runner": "elsewhere"}).failures
    assert ["there is no runner 'elsewhere' for a proof. Use one of: here, task."] == [
        each.reason for each in failures
    ]


def test_expectations_that_do_not_fit_their_digest_are_refused(inputs: dict[str, Any]) -> None:
    failures = PROVIDER.check({}, {**inputs, "expectations_digest": "0" * 64}).failures
    assert ["expectations_digest"] == [each.property for each in failures]


def test_unknown_inputs_of_a_preview_are_let_through(inputs: dict[str, Any]) -> None:
    unknown = {**inputs, "secret_version": rpc.UNKNOWN, "expectations": rpc.UNKNOWN}
    assert [] == PROVIDER.check({}, unknown).failures


def test_the_provider_is_pickled_by_reference() -> None:
    assert len(dill.dumps(PrivilegeProofProvider())) < 100


def test_the_type_is_the_one_that_policies_address() -> None:
    assert f"pulumi-python:{PrivilegeProof._resource_type_name}" == TYPE


def test_the_code_digest_covers_every_file_of_the_package_that_a_proof_uses() -> None:
    loaded = "sorted(m.__file__ for n, m in sys.modules.items() if n.startswith('atlas_access.'))"
    program = f"import sys, json, atlas_access.proof.run; print(json.dumps({loaded}))"
    root = Path(__file__).resolve().parents[2]
    used = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, check=True, text=True
    )
    files = {Path(name) for name in json.loads(used.stdout)}
    assert (True, set()) == (len(files) > 10, files - set(decisive_files()))


def test_a_dynamic_host_proves_over_the_provider_protocol(inputs: dict[str, Any], account: Account) -> None:
    root = Path(__file__).resolve().parents[2]
    host = subprocess.Popen(
        [sys.executable, "-m", "pulumi.dynamic", "127.0.0.1:1"],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, **account.environment, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert host.stdout is not None
        port = int(host.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            answer = stub.Create(
                provider_pb2.CreateRequest(properties=_wire({**inputs, "row": "urn:a"})), timeout=60
            )
        outs = rpc.deserialize_properties(answer.properties)
    finally:
        host.terminate()
        host.wait(10)
    assert ("proven", inputs["secret_version"]) == (outs["verdict"], outs["secret_version"])


def _wire(inputs: dict[str, Any]) -> Any:
    import base64

    from google.protobuf import struct_pb2

    pickled = base64.b64encode(dill.dumps(PrivilegeProofProvider())).decode()
    properties = struct_pb2.Struct()
    properties.update({**inputs, "__provider": pickled})
    return properties
