"""Which engine deploys: the CLI when it is there and new enough, else ours; and one engine for a sandbox's life."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sandbox.deploy import Engine, choose
from sandbox.world import SandboxError, World

OnPath = Callable[[str], None]


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OnPath:
    """Puts a `pulumi` that prints this version on an otherwise empty PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(version: str) -> None:
        (folder / "pulumi").write_text(f"#!/bin/sh\necho {version}\n")
        (folder / "pulumi").chmod(0o755)

    return put


def world(directory: Path, *, embedded: bool = False, pulumi: bool = False) -> World:
    """A sandbox in which a stack was deployed by these engines."""
    state = directory / "staging.json"
    if embedded:
        state.write_text("{}")
    if pulumi:
        stacks = directory / "pulumi" / ".pulumi" / "stacks" / "atlas-access"
        stacks.mkdir(parents=True)
        (stacks / "staging.json").write_text('{"checkpoint": {"latest": {"resources": []}}}')
    known = {"environments": {"staging": None}, "directory": directory, "state_file": lambda _: state}
    return cast(World, SimpleNamespace(**known))


def test_without_a_cli_auto_is_the_embedded_engine_and_says_why(on_path: OnPath) -> None:
    assert "embedded (no pulumi CLI on PATH)" == choose(Engine.AUTO).name


def test_with_a_cli_auto_is_the_cli(on_path: OnPath) -> None:
    on_path("v3.260.0")
    assert "pulumi 3.260.0" == choose(Engine.AUTO).name


def test_a_build_of_ones_own_may_have_no_version(on_path: OnPath) -> None:
    on_path("")
    assert "pulumi of an unknown version" == choose(Engine.PULUMI).name


def test_the_embedded_engine_can_be_asked_for_beside_a_cli(on_path: OnPath) -> None:
    on_path("v3.260.0")
    assert "embedded" == choose(Engine.EMBEDDED).name


@pytest.mark.parametrize(
    ("version", "expected"),
    [(None, "no pulumi CLI is on PATH"), ("v3.199.9", "3.199.9; the sandbox needs 3.200 or later")],
)
def test_a_missing_or_old_cli_is_refused_with_the_remedy(
    on_path: OnPath, version: str | None, expected: str
) -> None:
    if version is not None:
        on_path(version)
    with pytest.raises(SandboxError) as refused:
        choose(Engine.PULUMI)
    assert expected in str(refused.value)
    assert "--engine embedded" in str(refused.value)


def test_auto_stays_with_the_engine_that_has_deployed(on_path: OnPath, tmp_path: Path) -> None:
    on_path("v3.260.0")
    assert "embedded" == choose(Engine.AUTO, world(tmp_path, embedded=True)).name


@pytest.mark.parametrize(
    ("wanted", "embedded", "expected"),
    [(Engine.PULUMI, True, "--engine embedded"), (Engine.EMBEDDED, False, "--engine pulumi")],
)
def test_a_change_of_engine_is_refused(
    on_path: OnPath, tmp_path: Path, wanted: Engine, embedded: bool, expected: str
) -> None:
    on_path("v3.260.0")
    with pytest.raises(SandboxError) as refused:
        choose(wanted, world(tmp_path, embedded=embedded, pulumi=not embedded))
    assert expected in str(refused.value)
    assert "atlas-access sandbox reset" in str(refused.value)
