"""Pulumi's files as the CLI reads them, and the project folder that the CLI gets."""

from pathlib import Path

import pytest
import yaml

from sandbox.engine.pulumi_cli import prepare_project
from sandbox.engine.stack_files import read_stack
from sandbox.world import SandboxError

PROJECT = """
name: atlas-access
runtime: {name: python}
main: .
config:
  atlas-access:phase: {type: string, default: provision}
  atlas-access:deadline: {type: integer, default: 60}
  atlas-access:names: {type: array, items: {type: string}, default: []}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(PROJECT)
    (folder / "Pulumi.staging.yaml").write_text(
        "config: {atlas-access:names: [a, b], atlas-access:region: x}\n"
    )
    return folder


def test_defaults_and_settings_arrive_as_pulumi_hands_them_on(program: Path) -> None:
    files = read_stack(program, "staging")
    assert {
        "atlas-access:phase": "provision",
        "atlas-access:deadline": "60",
        "atlas-access:names": '["a","b"]',
        "atlas-access:region": "x",
    } == files.config


def test_an_override_needs_no_project_name(program: Path) -> None:
    assert "bind" == read_stack(program, "staging").configured({"phase": "bind"}).phase


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Pulumi.staging.yaml", None, "Pulumi.staging.yaml is missing"),
        ("Pulumi.staging.yaml", "a: [", "Pulumi.staging.yaml:1 is not readable YAML"),
        ("Pulumi.staging.yaml", "- a", "Pulumi.staging.yaml holds no mapping"),
        ("Pulumi.staging.yaml", "config: {a:b: {secure: v1}}", "a:b is encrypted"),
        ("Pulumi.yaml", "runtime: python", "`name` is missing"),
    ],
)
def test_a_wrong_file_is_named_with_remedy(program: Path, name: str, text: str | None, expected: str) -> None:
    path = program / name
    path.write_text(text) if text is not None else path.unlink()
    with pytest.raises(SandboxError) as refused:
        read_stack(program, "staging")
    assert expected in str(refused.value)


def test_the_clis_project_points_at_the_program_and_leaves_it_alone(program: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_text() for path in program.iterdir()}
    project = prepare_project(tmp_path / "box", read_stack(program, "staging"))
    document = yaml.safe_load((project / "Pulumi.yaml").read_text())
    assert program.resolve() == (project / document["main"]).resolve()
    assert before == {path.name: path.read_text() for path in program.iterdir()}


def test_settings_keep_the_types_that_the_project_declares(program: Path, tmp_path: Path) -> None:
    project = prepare_project(tmp_path / "box", read_stack(program, "staging"))
    config = yaml.safe_load((project / "Pulumi.staging.yaml").read_text())["config"]
    assert (60, ["a", "b"]) == (config["atlas-access:deadline"], config["atlas-access:names"])


def test_the_stacks_salt_survives_a_second_run(program: Path, tmp_path: Path) -> None:
    files = read_stack(program, "staging")
    settings = prepare_project(tmp_path / "box", files) / "Pulumi.staging.yaml"
    settings.write_text(settings.read_text() + "encryptionsalt: v1:abc\n")
    prepare_project(tmp_path / "box", files.configured({"phase": "bind"}))
    document = yaml.safe_load(settings.read_text())
    assert ("v1:abc", "bind") == (document["encryptionsalt"], document["config"]["atlas-access:phase"])
