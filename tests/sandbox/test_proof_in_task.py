"""A cluster that only the one-off task's network reaches: bound with `proofTaskFamily`, refused without it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_main_job import a_copy_of_the_program

from atlas_access.review.deployment import Deployment
from sandbox import lifecycle
from sandbox.aws_clients import client_of
from sandbox.deploy import Engine, Order, deploy
from sandbox.world import Options, World

FAMILY = "askflorence-staging-proof"
CURRENT = "registry.example.com/askflorence/app:current"
NO_ROUTE = """
import errno
import socket

_connect = socket.socket.connect


def _routed(own, address):
    if isinstance(address, tuple) and address[1] in {ports}:
        raise OSError(errno.EHOSTUNREACH, "no route to host")
    return _connect(own, address)


socket.socket.connect = _routed
"""
"""Added to the copy of the program: its processes have no route to the clusters; tasks run the project itself."""


@dataclass
class Apart:
    """A sandbox, and a copy of the program without a route to the clusters."""

    world: World
    program: Path

    def deploy(self, phase: str, **settings: str) -> Deployment:
        given = {"allowUngatedRollout": "true", "containerImage": CURRENT, **settings}
        order = Order(
            "staging", phase=phase, engine=Engine.EMBEDDED, program_dir=self.program, settings=given
        )
        return deploy(self.world, order, lambda _: None)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    directory, program = tmp_path_factory.mktemp("world"), tmp_path_factory.mktemp("program")
    world = lifecycle.up(directory, Options(service=True, propagation_seconds=0.2, ecs_step_seconds=0.05))
    try:
        a_copy_of_the_program(program)
        ports = {int(world.of(stack).mongod.address.rpartition(":")[2]) for stack in ("staging", "prod")}
        with (program / "probes/__init__.py").open("a", encoding="utf-8") as file:
            file.write(NO_ROUTE.format(ports=ports))
        ecs = client_of(world, "staging", "ecs")
        running = ecs.describe_task_definition(taskDefinition="askflorence-staging-app")["taskDefinition"]
        log = running["containerDefinitions"][0]["logConfiguration"]
        mine = {"name": "proof", "image": "registry.example.com/atlas-access:1", "essential": True}
        ecs.register_task_definition(
            family=FAMILY,
            containerDefinitions=[{**mine, "logConfiguration": log, "command": ["python"]}],
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
        )
        yield Apart(world, program)
    finally:
        lifecycle.down(directory, keep=False)


def test_without_the_setting_the_refusal_names_it(apart: Apart) -> None:
    refused = apart.deploy("provision", proofDeadlineSeconds="10")
    assert "could not log in: " in refused.failure
    assert "set atlas-access:proofTaskFamily" in refused.failure


def test_with_the_setting_the_cluster_is_provisioned_and_bound(apart: Apart) -> None:
    for phase in ("provision", "bind"):
        done = apart.deploy(phase, proofTaskFamily=FAMILY)
        assert "" == done.failure
    assert {"proven"} == {each.verdict for each in done.proofs}
    assert done.swap is not None
    assert done.swap.before != done.swap.after
