"""A third environment is its entry in the manifest, in any place, its settings and its block of the law."""

import json
import shutil
from itertools import permutations
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest
from recorder import ROOT, Recorder, observed, run

from atlas_access.base.settings import Settings, check_settings
from atlas_access.base.task_definition import secret_references
from atlas_access.cli.main import run as command
from atlas_access.manifest.load import Manifest, load_manifest
from components.reference import crosses_over, reference_connection
from components.service_access import ServiceAccess, ServiceAccessArgs
from components.settings import read_files

NAMES = ("staging", "prod", "dr")
CONNECTION = "mongodb://app_read:Pw@127.0.0.2:27118/askflorence?authSource=admin&directConnection=true"


def manifest_text(names: tuple[str, ...]) -> str:
    read = "      prod: {cluster: staging, address: private}\n"
    text = (ROOT / "access.yaml").read_text(encoding="utf-8")
    text = text.replace("on: [staging, prod]", "on: [staging, prod, dr]")
    text = text.replace("environments: [staging, prod]", f"environments: [{', '.join(names)}]")
    return text.replace(read, read + read.replace("prod", "dr"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "access.yaml").write_text(manifest_text(("dr", "staging", "prod")), encoding="utf-8")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for stack, path in {"staging": "Pulumi.staging.yaml", "prod": "Pulumi.prod.yaml"}.items():
        shutil.copy(ROOT / path, tmp_path / f"Pulumi.{stack}.yaml")
    settings = (ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    for ours, theirs in (
        ("69dc20c64005b222804dafa4", "70" * 12),
        ("askflorence-prod-01", "askflorence-dr"),
        ("askflorence.health", "dr.askflorence.health"),
        ("222222222222", "333333333333"),
        ("askflorence-prod", "askflorence-dr"),
    ):
        settings = settings.replace(ours, theirs)
    (tmp_path / "Pulumi.dr.yaml").write_text(settings, encoding="utf-8")
    law = json.loads((ROOT / "policy" / "policy-config.json").read_text(encoding="utf-8"))
    law["environments"]["staging"]["outputs"]["referenceConnection"]["to"].append("dr")
    law["environments"]["dr"] = {"projectId": "70" * 12, "account": "333333333333"}
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "policy-config.json").write_text(json.dumps(law), encoding="utf-8")
    return tmp_path


def settings_of(folder: Path, **changes: object) -> Settings:
    return check_settings("dr", read_files(folder), sandbox=True, overrides=changes)


def test_manifest_settings_and_law_of_three_environments_agree(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    law = str(folder / "policy" / "policy-config.json")
    assert command(["check", "--manifest", str(folder / "access.yaml"), "--law", law]) == 0, (
        capsys.readouterr()
    )


def test_the_program_declares_the_third_environment_and_reads_across(folder: Path) -> None:
    manifest, settings = (
        load_manifest((folder / "access.yaml").read_bytes()),
        settings_of(folder, phase="bind"),
    )

    def declare() -> None:
        reference = reference_connection(manifest, "dr", settings.reference_stack)
        args = ServiceAccessArgs("dr", manifest, settings, observed("dr"), reference)
        provider = aws.Provider("aws", region="us-east-1")
        ServiceAccess("dr", args, pulumi.ResourceOptions(providers=[provider]))

    made = run(Recorder(received=CONNECTION), declare, "dr")
    assert set(made.of("DatabaseUser")) == {user.name for user in manifest.users}
    assert {each["name"] for each in made.of("Secret").values()} == {
        "dr/mongodb/app-read-v2",
        "dr/mongodb/app-write-v2",
        "dr/mongodb/audit-write",
        "dr/mongodb/admin-schema",
        "dr/mongodb/reference-uri-v2",
    }
    app = json.loads(made.of("TaskDefinition")["app"]["containerDefinitions"])
    assert "MONGODB_REFERENCE_URI" in secret_references({"containerDefinitions": app})
    assert "staging" == settings.goes_after


def meaning(manifest: Manifest) -> tuple[object, ...]:
    by_name = {env: manifest.credentials_for(env) for env in sorted(manifest.environments)}
    across = {env: crosses_over(manifest, env) for env in sorted(manifest.environments)}
    return by_name, across, manifest.bindings_for("local")


def test_the_order_of_environments_means_nothing() -> None:
    first, *others = [load_manifest(manifest_text(order)) for order in permutations(NAMES)]
    for other in others:
        assert meaning(first) == meaning(other)
        assert first.digest == other.digest
