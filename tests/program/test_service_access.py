"""What one environment's stack declares, observed through Pulumi's mocks."""

import json
from functools import partial
from typing import Any

import pulumi
import pytest
import recorder
from pulumi.runtime import rpc
from recorder import ADDRESSES, EVIDENCE, MANIFEST, Recorder, definition, observed, run

from atlas_access.base.settings import Settings
from atlas_access.base.task_definition import secret_references
from atlas_access.clients.ecs import RunningRevision
from atlas_access.rollout.preflight import UNGATED
from components.reference import crosses_over
from components.service_access import ServiceAccess
from probes.gates import ServiceGatesProvider

RUNTIME = {"MONGODB_URI", "MONGODB_REFERENCE_URI", "MONGODB_WRITE_URI", "MONGODB_AUDIT_WRITE_URI"}
GOOD_REFERENCE = "mongodb://app_read:Pw@127.0.0.2:27118/askflorence?authSource=admin&directConnection=true"


program = partial(recorder.program, phase="bind")


def bound(recorder: Recorder, family: str) -> dict[str, str]:
    """Variable to `valueFrom` of the family's registered revision."""
    text = recorder.of("TaskDefinition")[family]["containerDefinitions"]
    return secret_references({"containerDefinitions": json.loads(text)})


def test_the_cluster_gets_adr_0006s_two_roles_and_four_users() -> None:
    made = run(Recorder(), program())
    assert set(made.of("CustomDbRole")) == {"role_audit_writer", "role_admin_schema"}
    assert set(made.of("DatabaseUser")) == {"app_read", "app_write", "app_audit_writer", "app_admin_schema"}


def test_custom_roles_are_assigned_at_admin_and_built_in_ones_on_the_database() -> None:
    """Atlas refuses anything else (UNSUPPORTED_ROLE)."""
    users = run(Recorder(), program()).of("DatabaseUser")
    assert {name: users[name]["roles"] for name in users} == {
        "app_read": [{"databaseName": "askflorence", "roleName": "read"}],
        "app_write": [{"databaseName": "askflorence", "roleName": "readWrite"}],
        "app_audit_writer": [{"databaseName": "admin", "roleName": "role_audit_writer"}],
        "app_admin_schema": [{"databaseName": "admin", "roleName": "role_admin_schema"}],
    }


def test_every_user_is_scoped_to_its_cluster() -> None:
    """A user without scopes reaches every cluster of its project."""
    users = run(Recorder(), program()).of("DatabaseUser")
    assert [user["scopes"] for user in users.values()] == [
        [{"name": "askflorence-staging", "type": "CLUSTER"}] for _ in users
    ]


def test_the_adopted_user_gets_no_password() -> None:
    """app_admin_schema stays as it is: password and secret untouched."""
    made = run(Recorder(), program())
    assert "password" not in made.of("DatabaseUser")["app_admin_schema"]
    assert "app_admin_schema" not in made.of("RandomPassword")
    assert "admin-schema" not in made.of("SecretVersion")


def test_the_new_secrets_have_the_names_that_were_decided() -> None:
    """The old reference-uri is legacy and is never written again."""
    secrets = run(Recorder(), program()).of("Secret")
    assert {secret["name"] for secret in secrets.values()} == {
        "staging/mongodb/app-read-v2",
        "staging/mongodb/reference-uri-v2",
        "staging/mongodb/app-write-v2",
        "staging/mongodb/audit-write",
        "staging/mongodb/admin-schema",
    }


def test_secrets_use_the_projects_key_and_the_longest_recovery_window() -> None:
    """Never the account's default key."""
    secrets = run(Recorder(), program()).of("Secret").values()
    assert {(each["kmsKeyId"], each["recoveryWindowInDays"]) for each in secrets} == {
        ("arn:aws:kms:us-east-1:111111111111:key/k", 30)
    }


def test_a_connection_string_merges_the_write_options() -> None:
    """The address' own options stay, ours are added."""
    value = run(Recorder(), program(addressForm="standard")).of("SecretVersion")["app-read-v2"][
        "secretString"
    ]["value"]
    assert "replicaSet=rs" in value
    assert "retryWrites=true&w=majority" in value
    assert "authSource=admin" in value


def test_the_runtime_has_its_four_bindings_and_the_aliases_of_bind() -> None:
    """The seven old names appear only where they were."""
    names = set(bound(run(Recorder(), program()), "app"))
    assert names == RUNTIME | {"MONGODB_URI_PLANS_WRITE", "HUBSPOT_TOKEN"}


def test_the_schema_family_has_one_binding_and_the_runtime_never_has_it() -> None:
    """ENG-266: index management stays out of the runtime."""
    made = run(Recorder(), program())
    assert set(bound(made, "schema")) == {"MONGODB_URI_ADMIN_SCHEMA"}
    assert "MONGODB_URI_ADMIN_SCHEMA" not in bound(made, "app")


def test_every_binding_pins_the_proven_version() -> None:
    """A value that changes after its proof cannot reach a task."""
    references = bound(run(Recorder(), program()), "app")
    assert {name: references[name].rsplit(":", 1)[-1] for name in RUNTIME} == {
        "MONGODB_URI": "version-of-app-read-v2",
        "MONGODB_REFERENCE_URI": "version-of-reference-uri-v2",
        "MONGODB_WRITE_URI": "version-of-app-write-v2",
        "MONGODB_AUDIT_WRITE_URI": "version-of-audit-write",
    }


def test_each_secret_version_is_proven() -> None:
    """Also the reference secret, which holds the same user's connection in staging."""
    proofs = run(Recorder(), program(phase="provision")).of("PrivilegeProof")
    assert {name: proof["user"] for name, proof in proofs.items()} == {
        "app-read-v2": "app_read",
        "reference-uri-v2": "app_read",
        "app-write-v2": "app_write",
        "audit-write": "app_audit_writer",
        "admin-schema": "app_admin_schema",
    }


def test_provision_touches_no_task() -> None:
    made = run(Recorder(), program(phase="provision"))
    assert (made.of("TaskDefinition"), made.of("Rollout"), made.of("PriorRevision")) == ({}, {}, {})


@pytest.mark.parametrize("verdict", ["refuted", "inconclusive"])
def test_what_is_not_proven_stops_everything_after_it(verdict: str) -> None:
    """No revision is registered, no service moved, and the reason is the error."""
    recorder = Recorder(verdicts={"app-write-v2": verdict})
    with pytest.raises(pulumi.RunError, match=f"{verdict.upper()}  app_write on .*: why app-write-v2"):
        run(recorder, program())
    assert (recorder.of("TaskDefinition"), recorder.of("Rollout")) == ({}, {})


def test_all_refuted_proofs_are_named_at_once() -> None:
    recorder = Recorder(verdicts={"app-write-v2": "refuted", "audit-write": "inconclusive"})
    with pytest.raises(
        pulumi.RunError, match=r"REFUTED .*: why app-write-v2\nINCONCLUSIVE .*: why audit-write"
    ):
        run(recorder, program(phase="provision"))


def test_execution_roles_read_exactly_their_own_secrets() -> None:
    """The runtime's role never reads the schema secret."""
    policies = run(Recorder(), program()).of("RolePolicy")
    documents = {each["role"]: json.loads(each["policy"]) for each in policies.values()}
    reads = {role: document["Statement"][0]["Resource"] for role, document in documents.items()}
    assert reads["schema-execution"] == ["arn:aws:secretsmanager:us-east-1:111111111111:secret:admin-schema"]
    assert not any("admin-schema" in arn for arn in reads["runtime-execution"])


def test_a_shared_execution_role_is_refused() -> None:
    """It would hand the schema secret to the runtime."""
    shared = observed(schema=RunningRevision("arn:schema:1", definition("schema", "runtime-execution")))
    with pytest.raises(pulumi.RunError, match="share the execution role runtime-execution"):
        run(Recorder(), program(world=shared))


def test_prods_reference_secret_holds_what_staging_hands_over() -> None:
    """Staging's app_read, by its private address, and nothing composed here."""
    made = run(Recorder(received=GOOD_REFERENCE), program("prod"), "prod")
    assert made.of("SecretVersion")["reference-uri-v2"]["secretString"]["value"] == GOOD_REFERENCE


def test_a_secrets_value_is_secret_to_the_engine() -> None:
    """So that the state keeps it encrypted."""
    versions = run(Recorder(), program()).of("SecretVersion").values()
    assert {each["secretString"][rpc._special_sig_key] for each in versions} == {rpc._special_secret_sig}


@pytest.mark.parametrize(
    "received", [None, {}, "", "not a connection string", GOOD_REFERENCE.replace("app_read", "app_write")]
)
def test_anything_but_staging_s_reader_stops_prod(received: Any) -> None:
    """A passphrase that does not fit arrives as an empty mapping."""
    recorder = Recorder(received=received)
    with pytest.raises(pulumi.RunError, match=r"stack staging hands over"):
        run(recorder, program("prod"), "prod")
    assert "reference-uri-v2" not in recorder.of("SecretVersion")


def test_prod_without_a_reference_stack_is_refused() -> None:
    """No silent fall-back to its own cluster (ENG-271)."""
    with pytest.raises(pulumi.RunError, match="Set atlas-access:referenceStack"):
        run(Recorder(), program("prod", referenceStack=""), "prod")


def test_a_missing_private_endpoint_is_an_error_where_it_is_handed_over() -> None:
    """Staging cannot export an address that it does not have."""
    found: list[pulumi.Output[str]] = []

    def grab(access: ServiceAccess) -> None:
        handed_over = crosses_over(MANIFEST, "staging")
        assert handed_over is not None
        found.append(access.cluster.connection(*handed_over, 1))

    recorder = Recorder(cluster={**ADDRESSES, "privateEndpoints": []})
    with pytest.raises(pulumi.RunError, match="has no srv connection string for its private endpoint"):
        run(recorder, program(grab=grab))


def test_only_staging_hands_a_connection_over() -> None:
    """Nobody reads prod's cluster from elsewhere."""
    assert crosses_over(MANIFEST, "prod") is None


def test_nothing_of_staging_names_prods_project_or_account() -> None:
    """ADR 0001."""
    made = run(Recorder(), program())
    text = json.dumps([each.inputs for each in made.made])
    assert "69dc20c64005b222804dafa4" not in text
    assert "222222222222" not in text


def test_no_input_but_a_secrets_value_holds_a_password() -> None:
    """A password leaves the cluster's component only inside a connection string."""
    made = run(Recorder(), program())
    kinds = ("SecretVersion", "DatabaseUser")
    elsewhere = [each.inputs for each in made.made if each.typ.rsplit(":", 1)[-1] not in kinds]
    assert "Pw000" not in json.dumps(elsewhere)


def test_a_retirement_that_nobody_confirmed_is_refused_before_anything_is_declared() -> None:
    recorder = Recorder()
    with pytest.raises(pulumi.RunError, match='retireConfirmation to "retire staging"'):
        run(recorder, program(phase="retire"))
    assert recorder.of("Secret") == {}


CONFIRMED = {"phase": "retire", "retireConfirmation": "retire staging"}


def test_a_retirement_drops_the_deprecated_variables_and_stands_behind_its_gate() -> None:
    """The gate's evidence is what the policy pack judges before the retirement may be made."""
    made = run(Recorder(), program(**CONFIRMED))
    assert set(bound(made, "app")) == {*RUNTIME, "HUBSPOT_TOKEN"}
    gate, retirement = made.of("RetirementGate")["legacy"], made.of("Retirement")["legacy"]
    settled = Settings.from_json(gate["settings"])
    assert (gate["step"], settled.retire_confirmation) == ("tombstone", "retire staging")
    assert gate["revision"] == made.of("Rollout")["askflorence-staging-app"]["wanted"]
    assert retirement["evidence"] == EVIDENCE


def test_a_retirement_names_nothing_that_another_environment_owns() -> None:
    """ADR 0001: where prod's account is, the provider reads from prod's own settings."""
    made = run(Recorder(), program(**CONFIRMED, retirement="delete"))
    text = json.dumps([made.of(kind) for kind in ("RetirementGate", "Retirement")])
    assert "222222222222" not in text
    assert made.of("Retirement")["legacy"]["step"] == "delete"


def test_what_is_set_beside_the_file_reaches_the_swap() -> None:
    """The provider reads no file again: it sees the soak, the baseline and the role that the program sees."""
    beside = {"soakMinutes": "45", "smokeBaseline": "other.json", "soakRole": "looks"}
    made = run(Recorder(), program(phase="bind", **beside))
    for kind in ("Rollout", "PriorRevision"):
        found = Settings.from_json(made.of(kind)["askflorence-staging-app"]["settings"])
        assert (found.soak_minutes, found.smoke_baseline, found.soak_role) == (45, "other.json", "looks")


@pytest.mark.parametrize(
    "given", [{"phase": "provision"}, {"phase": "bind"}, CONFIRMED], ids=lambda it: it["phase"]
)
def test_the_gates_come_last_and_are_run_again_when_a_proof_was_renewed(given: dict[str, str]) -> None:
    """A proof is renewed when a role, a user or a secret changed; preview and update compare the same inputs."""
    made = run(Recorder(), program(world=observed(baseline="digest"), **given))
    found = made.of("ServiceGates")["askflorence-staging-app"]
    kinds = [each.typ.rpartition(":")[2] for each in made.made]
    after = kinds[kinds.index("ServiceGates") + 1 :]
    assert {"CurrentVersions", "CredentialsInUse"} == set(after) - {"RecordedWayBack"}
    names = ("admin-schema", "app-read-v2", "app-write-v2", "audit-write", "reference-uri-v2")
    assert ([f"at {name}" for name in names], "digest") == (found["proven_at"], found["baseline"])
    renewed = {**found, "proven_at": [*found["proven_at"][1:], "later"]}
    diff = ServiceGatesProvider().diff
    changes = [diff("", found, news).changes for news in (found, {**found, "gated_at": "later"}, renewed)]
    assert [False, False, True] == changes


def test_a_first_provision_without_a_baseline_is_refused_before_anything_is_declared() -> None:
    recorder = Recorder()
    with pytest.raises(
        pulumi.RunError, match=r"staging: nothing was created: .*atlas-access baseline capture STACK"
    ):
        run(recorder, program(phase="provision", world=observed(ungated=(UNGATED,))))
    assert {} == recorder.of("Secret") == recorder.of("CustomDbRole")
