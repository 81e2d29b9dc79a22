"""What a deployment's last lines say: the servers' own answer about each credential, and what differs from before."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from atlas_access.base import Endpoints, Report, check_settings
from atlas_access.clients import sign_in_from
from atlas_access.drift import Drift, Wanted, drift_report, observe_stack
from atlas_access.manifest import load_known_users, load_manifest
from atlas_access.proof import ProofReport, Proven, Stack, candidates, proof_report, prove_candidates
from components.settings import read_files
from sandbox.deploy import Order, checked
from sandbox.health import require_alive
from sandbox.world import World


def drift_now(world: World, order: Order) -> Drift:
    """A drift check with the order's own settings. Raises what `deploy` raises for wrong inputs."""
    world.of(order.stack)
    checked(order)
    require_alive(world)
    with _entered(world, order) as stack:
        text = (order.program_dir / "known-users.yaml").read_text(encoding="utf-8")
        known = load_known_users(text, stack.manifest, environment=stack.name)
        wanted = Wanted(stack.name, stack.manifest, stack.settings, known, datetime.now(UTC))
        return observe_stack(wanted, sign_in_from(os.environ), stack.endpoints)


def last_lines(world: World, order: Order, before: Drift) -> tuple[Report, Report]:
    """Prove what the stack's tasks hold, and check for drift that was not there `before`."""
    with _entered(world, order) as stack:
        began, each = time.monotonic(), candidates(stack)
        proofs = prove_candidates(each, stack.endpoints, lambda *_: None, lambda *_: None)
        proven = tuple(Proven(proof, one.secret) for one, proof in zip(each, proofs, strict=True))
        proved = ProofReport(stack.name, proven, time.monotonic() - began)
    found = drift_now(world, order).since({each.identity for each in before.findings})
    return proof_report(proved), drift_report(found)


@contextmanager
def _entered(world: World, order: Order) -> Iterator[Stack]:
    """The stack, with this process in its environment."""
    files, kept = checked(order), dict(os.environ)
    os.environ.update(world.environment(order.stack))
    try:
        endpoints = Endpoints.from_environment(os.environ)
        own = {key.rpartition(":")[2]: value for key, value in order.settings.items()} | {
            "phase": files.phase
        }
        settings = check_settings(order.stack, read_files(order.program_dir), sandbox=True, overrides=own)
        manifest = load_manifest((order.program_dir / "access.yaml").read_text(encoding="utf-8"))
        yield Stack(order.stack, manifest, settings, endpoints, sign_in_from(os.environ))
    finally:
        os.environ.clear()
        os.environ.update(kept)
