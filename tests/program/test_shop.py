"""The example `shop`: another application, one environment, without a schema task and with nothing to retire."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest
from recorder import ROOT, Recorder, definition, run

from atlas_access.base.settings import check_settings
from atlas_access.base.task_definition import DefinitionUnusable, secret_references
from atlas_access.cli.main import run as command
from atlas_access.clients.ecs import RunningRevision
from atlas_access.manifest.load import load_manifest
from components.observed import Observed
from components.service_access import ServiceAccess, ServiceAccessArgs
from components.settings import read_files

SHOP = ROOT / "examples" / "shop"
MANIFEST = load_manifest((SHOP / "access.yaml").read_bytes())
LAW = str(SHOP / "policy" / "policy-config.json")


def world() -> Observed:
    web = definition("shop", "shop-execution", "MONGODB_URI")
    web["containerDefinitions"][0]["name"] = "web"
    return Observed(
        kms_key_arn="arn:aws:kms:eu-central-1:444444444444:key/k",
        running=RunningRevision("arn:shop:7", web, 1, 1),
        schema=None,
        adopted={},
    )


def declared(phase: str) -> Recorder:
    settings = check_settings("dev", read_files(SHOP), sandbox=True, overrides={"phase": phase})

    def declare() -> None:
        provider = aws.Provider("aws", region="eu-central-1")
        args = ServiceAccessArgs("dev", MANIFEST, settings, world())
        ServiceAccess("dev", args, pulumi.ResourceOptions(providers=[provider]))

    return run(Recorder(), declare, "dev")


def test_manifest_settings_and_law_of_the_shop_agree(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", "--manifest", str(SHOP / "access.yaml"), "--law", LAW]) == 0
    assert capsys.readouterr().out.startswith("AGREE")


def test_its_stack_has_three_users_and_three_proven_secrets() -> None:
    made = declared("provision")
    assert {"reader", "seller", "bookkeeper"} == set(made.of("DatabaseUser"))
    names = {f"dev/mongodb/{user}" for user in ("reader", "seller", "bookkeeper")}
    assert names == {each["name"] for each in made.of("Secret").values()}
    assert len(made.of("PrivilegeProof")) == 3
    assert {"shop-execution"} == {each["role"] for each in made.of("RolePolicy").values()}
    assert {} == made.of("TaskDefinition") == made.of("Rollout")


def test_its_service_is_bound_and_no_schema_task() -> None:
    made = declared("bind")
    assert ["shop"] == list(made.of("TaskDefinition"))
    containers = json.loads(made.of("TaskDefinition")["shop"]["containerDefinitions"])
    bound = secret_references({"containerDefinitions": containers})
    assert {"MONGODB_URI", "MONGODB_WRITE_URI", "MONGODB_LEDGER_URI"} == set(bound)
    assert 1 == len(made.of("Rollout"))


def test_a_schema_task_with_bindings_needs_its_family() -> None:
    ours = load_manifest((ROOT / "access.yaml").read_bytes())
    with pytest.raises(
        DefinitionUnusable, match=r"binds MONGODB_URI_ADMIN_SCHEMA .* Set atlas-access:schemaFamily"
    ):
        replace(world(), schema=None).consumers(ours, "staging")


def test_the_matrix_says_what_the_shop_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["matrix", "--manifest", str(SHOP / "access.yaml")]) == 0
    shown = capsys.readouterr().out
    assert (
        "Left out: a schema task, a cluster that is read across, a developer's machine, a legacy inventory"
        in shown
    )
    assert command(["matrix", "--manifest", str(ROOT / "access.yaml")]) == 0
    assert "Left out" not in capsys.readouterr().out


def test_a_change_of_the_shop_is_reviewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(SHOP, tmp_path / "shop")
    text = (folder / "access.yaml").read_text(encoding="utf-8")
    (folder / "access.yaml").write_text(
        text.replace("INSERT: [ledger]", "INSERT: [ledger, orders]"), encoding="utf-8"
    )
    law = str(folder / "policy" / "policy-config.json")
    assert command(["check", "--manifest", str(folder / "access.yaml"), "--law", law]) == 1
    assert "role role_ledger, INSERT is shop.ledger, shop.orders" in capsys.readouterr().out
