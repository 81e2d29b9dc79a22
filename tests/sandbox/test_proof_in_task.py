"""A cluster that only the one-off task's network reaches: bound with `proofTaskFamily`, refused without it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from world_fixture import UNGATED, copy_program, deployed, register_proof_family, sandbox

from atlas_access.review.deployment import Deployment
from sandbox.aws.clients import client_of
from sandbox.world import World

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
        given = {**UNGATED, "containerImage": CURRENT, **settings}
        return deployed(self.world, "staging", phase, program_dir=self.program, settings=given)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    program = copy_program(tmp_path_factory.mktemp("program"))
    settings = {"service": True, "propagation_seconds": 0.2, "ecs_step_seconds": 0.05}
    with sandbox(tmp_path_factory.mktemp("world"), **settings) as world:
        ports = {int(world.of(stack).mongod.address.rpartition(":")[2]) for stack in ("staging", "prod")}
        with (program / "probes/__init__.py").open("a", encoding="utf-8") as file:
            file.write(NO_ROUTE.format(ports=ports))
        register_proof_family(client_of(world, "staging", "ecs"), FAMILY)
        yield Apart(world, program)


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
