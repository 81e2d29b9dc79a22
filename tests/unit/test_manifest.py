"""The manifest of this repository says what ADR 0006 decided."""

import json
import random

import jsonschema
import pytest
import yaml

from atlas_access.base.addresses import Address
from atlas_access.manifest.file import file_schema
from atlas_access.manifest.load import load_manifest
from atlas_access.manifest.records import Binding, Consumer, DataClass, LegacySecret, RoleRef
from tests.unit.manifests import ROOT, TEXT, edited, line_of, manifest


def test_the_four_users_have_the_roles_of_the_decision():
    expected = {
        "app_read": ("read@askflorence",),
        "app_write": ("readWrite@askflorence",),
        "app_audit_writer": ("role_audit_writer@admin",),
        "app_admin_schema": ("role_admin_schema@admin",),
    }
    assert expected == {user.name: tuple(map(str, user.roles)) for user in manifest().users}


def test_the_audit_writer_may_only_find_and_insert_in_the_audit_log():
    expected = [("FIND", ("agent_audit_log",)), ("INSERT", ("agent_audit_log",))]
    assert expected == [
        (grant.action, grant.collections) for grant in manifest().role("role_audit_writer").grants
    ]


def test_the_schema_admin_manages_indexes_of_three_collections():
    three = ("agent_waitlist_submissions", "agent_survey_responses", "hubspot_sync_log")
    expected = dict.fromkeys(("FIND", "CREATE_INDEX", "LIST_INDEXES", "DROP_INDEX"), three)
    assert expected == {
        grant.action: grant.collections for grant in manifest().role("role_admin_schema").grants
    }


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_the_runtime_service_gets_four_variables(environment):
    expected = {
        "MONGODB_URI": "app_read",
        "MONGODB_REFERENCE_URI": "app_read",
        "MONGODB_WRITE_URI": "app_write",
        "MONGODB_AUDIT_WRITE_URI": "app_audit_writer",
    }
    assert expected == {b.variable: b.user for b in manifest().bindings_for(environment, Consumer.SERVICE)}


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_the_schema_task_gets_one_variable_that_the_service_does_not_get(environment):
    loaded = manifest()
    (binding,) = loaded.bindings_for(environment, Consumer.SCHEMA_TASK)
    assert ("MONGODB_URI_ADMIN_SCHEMA", "app_admin_schema") == (binding.variable, binding.user)
    assert {Consumer.SCHEMA_TASK} == {b.consumer for b in loaded.bindings_of("app_admin_schema")}


def test_prod_reads_the_reference_data_of_staging_by_its_private_endpoint():
    expected = Binding(
        consumer=Consumer.SERVICE,
        variable="MONGODB_REFERENCE_URI",
        user="app_read",
        environment="prod",
        cluster="staging",
        address=Address.PRIVATE,
        secret_name="prod/mongodb/reference-uri-v2",
    )
    assert expected in manifest().bindings


def test_staging_reads_its_own_cluster_as_reference():
    (binding,) = (b for b in manifest().bindings_for("staging") if b.variable == "MONGODB_REFERENCE_URI")
    found = (binding.cluster, binding.address, binding.secret_name)
    assert ("staging", Address.PUBLIC, "staging/mongodb/reference-uri-v2") == found


def test_a_developers_machine_uses_stagings_cluster_and_secrets():
    local = manifest().bindings_for("local")
    assert {("staging", Consumer.LOCAL)} == {(b.cluster, b.consumer) for b in local}
    assert ["staging/mongodb/app-read-v2"] * 2 == [b.secret_name for b in local if b.user == "app_read"]


def test_only_the_schema_admin_and_what_belongs_to_it_is_adopted():
    loaded = manifest()
    assert ["app_admin_schema"] == [
        user.name for user in loaded.users if user.adopted and user.secret_adopted
    ]
    assert ["role_admin_schema"] == [role.name for role in loaded.roles if role.adopted]


def test_all_seventeen_collections_are_listed_with_their_class_and_fourteen_users():
    loaded = manifest()
    assert 17 == len(loaded.collections)
    assert {DataClass.PUBLIC, DataClass.PII} == {collection.data_class for collection in loaded.collections}
    assert "mrf_file_state_staging" not in {collection.name for collection in loaded.collections_on("prod")}
    assert (9, 3) == (len(loaded.legacy_on("staging")), len(loaded.legacy_on("prod")))
    assert 14 == len(loaded.legacy) + 2 * sum(user.adopted for user in loaded.users)


def test_prods_old_reference_secret_belongs_to_a_legacy_user_of_staging():
    (reader,) = (user for user in manifest().legacy if user.name == "app_read_staging")
    expected = LegacySecret(
        environment="prod", name="prod/mongodb/reference-uri", variable="MONGODB_REFERENCE_URI"
    )
    assert expected in reader.secrets


def test_seven_deprecated_variables_go_over_to_their_successors():
    loaded = manifest()
    successors = [each.successor for each in loaded.deprecated_variables]
    assert ["MONGODB_URI", *["MONGODB_WRITE_URI"] * 6] == sorted(successors)
    assert ("MONGODB_URI_AUDIT_READ", "MONGODB_URI") in [
        tuple(dict(e).values()) for e in loaded.deprecated_variables
    ]


def test_a_secret_is_named_after_its_environment():
    assert "prod/mongodb/app-read-v2" == manifest().user("app_read").secret_name("prod")


def test_a_custom_role_is_assigned_at_admin():
    role = manifest().user("app_audit_writer").role
    assert (RoleRef(name="role_audit_writer", database="admin"), False) == (role, role.is_builtin)


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError):
        manifest().user("app_nobody")


def test_records_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        manifest().database = "other"  # type: ignore[misc]


def test_a_place_is_named_by_file_and_line():
    loaded = load_manifest(TEXT, "deep/access.yaml")
    assert f"deep/access.yaml:{line_of(TEXT, '    INSERT: [agent_audit_log]')}" == loaded.place_of(
        "roles.role_audit_writer.INSERT"
    )
    assert "deep/access.yaml" == loaded.place_of("roles.role_nobody")


def test_the_digest_is_of_the_meaning_and_not_of_the_layout():
    data = yaml.safe_load(TEXT.replace(" on:", ' "on":'))
    turned = {key: data[key] for key in reversed(data)}
    turned["collections"] = dict(random.Random(7).sample(list(data["collections"].items()), 17))
    other = load_manifest(json.dumps(turned))
    assert manifest().digest == other.digest
    assert load_manifest("# a comment\n" + TEXT) == manifest()


def test_the_digest_changes_with_the_meaning():
    narrowed = load_manifest(edited(("    DROP_INDEX: [agent_waitlist_submissions, ", "    DROP_INDEX: [")))
    assert manifest().digest != narrowed.digest


def test_bytes_with_a_byte_order_mark_are_read():
    assert manifest() == load_manifest(b"\xef\xbb\xbf" + TEXT.encode())


def test_the_schema_for_editors_is_in_step():
    expected = json.dumps(file_schema(), indent=2) + "\n"
    assert expected == (ROOT / "access.schema.json").read_text(encoding="utf-8")


def test_the_schema_accepts_the_file_and_refuses_a_wrong_one():
    schema = file_schema()
    data = yaml.safe_load(TEXT.replace(" on:", ' "on":'))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema)
    data["roles"]["role_audit_writer"]["SERVER_STATUS"] = ["agent_audit_log"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)


READER = '    role: {}\n    secret: "{{env}}/mongodb/app-read-v2"'
SEPARATE_LOG = (
    ("audit:\n  database: askflorence\n", "audit:\n  database: askflorence_audit\n"),
    (READER.format("read@askflorence"), READER.format("[read@askflorence, read@askflorence_audit]")),
)
W1 = TEXT[TEXT.index("  W1:\n") : TEXT.index("  W2:\n")]


def test_with_a_log_of_its_own_the_role_lives_there_and_no_waiver_is_needed():
    loaded = load_manifest(edited(*SEPARATE_LOG, (W1, "")))
    assert "askflorence_audit" == loaded.database_of("agent_audit_log")
    assert "askflorence" == loaded.database_of("plans")
    assert ("read@askflorence", "read@askflorence_audit") == tuple(map(str, loaded.user("app_read").roles))
    assert ["W2"] == [waiver.id for waiver in loaded.waivers]
