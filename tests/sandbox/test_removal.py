"""Removing or renaming a user, a role or a secret takes the two steps that the error names, and nothing else moves."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from world_fixture import ROOT, UNGATED, copy_program, deployed, sandbox

from atlas_access.review.deployment import Deployment, Operation
from probes.destroy_guard import StillProtected, refuse_unannounced
from sandbox.aws.clients import client_of
from sandbox.world import World

OLD, NEW = "staging/mongodb/app-write-v2", "staging/mongodb/app-write-v3"
KINDS = ("Secret", "SecretVersion", "DatabaseUser", "CustomDbRole")


def run(world: World, program: Path, operation: Operation = Operation.UP, **settings: str) -> Deployment:
    given = {**UNGATED, **settings}
    return deployed(
        world, "staging", "provision", operation,
        settings=given, program_dir=program, policy=program / "policy",
    )  # fmt: skip


def steps(done: Deployment) -> Counter[tuple[str, str]]:
    """What was done to users, roles and secrets."""
    found = ((each.operation, each.type.rpartition(":")[2]) for each in done.steps if each.changing)
    return Counter((str(operation), kind) for operation, kind in found if kind in KINDS)


def renamed_in(folder: Path, file: str) -> Callable[[], None]:
    """Renames the secret in a file; what is returned puts it back, and renames it again."""
    path = folder / file
    texts = [path.read_text()]
    texts.append(texts[0].replace("{env}/mongodb/app-write-v2", "{env}/mongodb/app-write-v3"))
    assert texts[0] != texts[1]

    def change() -> None:
        texts.reverse()
        path.write_text(texts[0])

    change()
    return change


def test_a_secret_is_renamed_in_the_two_steps_that_the_error_names(tmp_path: Path) -> None:
    program = copy_program(tmp_path / "program")
    for each in ("policy", "docs"):  # the law looks its decisions up in docs
        shutil.copytree(ROOT / each, program / each)
    with sandbox(tmp_path / "sandbox", propagation_seconds=0.2) as world:
        assert "" == run(world, program).failure
        change, law = renamed_in(program, "access.yaml"), renamed_in(program, "policy/policy-config.json")
        refused = run(world, program, Operation.PREVIEW)
        assert f"access.yaml does not declare {OLD} any more, but this stack protects it" in refused.failure
        assert f"set atlas-access:removing: [{OLD}] in Pulumi.staging.yaml" in refused.failure
        assert "docs/runbooks/remove.md" in refused.failure
        change()
        law()
        lifted = run(world, program, removing=f'["{OLD}"]')
        assert ("", Counter()) == (lifted.failure, steps(lifted))
        change()
        law()
        renamed = run(world, program)
        expected = {("create", "Secret"): 1, ("create", "SecretVersion"): 1}
        expected |= {("delete", "Secret"): 1, ("delete", "SecretVersion"): 1}
        assert ("", expected) == (renamed.failure, dict(steps(renamed)))
        store = client_of(world, "staging", "secretsmanager")
        assert "DeletedDate" in store.describe_secret(SecretId=OLD)
        assert "DeletedDate" not in store.describe_secret(SecretId=NEW)
        assert [] == [each for each in run(world, program).steps if each.changing]


@pytest.mark.parametrize(
    ("olds", "declared", "refused"),
    [
        ({"protected": ["app_read", "role_x"]}, ["app_read", "role_x"], ""),
        ({"protected": ["app_read", "role_x"]}, ["app_read"], "role_x"),
        ({"protected": ["app_read", "role_x", "s/x"]}, ["app_read"], "role_x, s/x"),
        ({"protected": ["app_read"]}, ["app_read"], ""),
        ({}, [], ""),
    ],
)
def test_only_what_the_last_update_protected_is_refused(
    olds: dict[str, list[str]], declared: list[str], refused: str
) -> None:
    said = ""
    try:
        refuse_unannounced(olds, {"declared": declared, "stack": "staging"})
    except StillProtected as error:
        said = str(error)
    assert refused == said.partition("does not declare ")[2].partition(" any more")[0]
