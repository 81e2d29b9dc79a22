"""Inspects how far a stack's migration is: baseline, users, secrets, proofs, service, soak, and what is left of legacy.

Read-only, but for proofs, which leave nothing behind. What cannot be read is a fact that nobody knows, never one that
holds. The phases that lie on a developer's machine and in the application's code are inspected elsewhere.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from atlas_access.base import Clock, Settings, clock_for
from atlas_access.clients import AwsUnavailable, client
from atlas_access.drift import listed, observe as drift
from atlas_access.proof import Stack, Verdict, candidates, declared_proven, prove_candidates
from atlas_access.retirement import observe_inventory as legacy
from atlas_access.retirement.inventory import LegacyInventory, legacy_inventory
from atlas_access.retirement.status import Fact, Step
from atlas_access.retirement.status_facts import (
    Live,
    StatusOrder,
    gates,
    retirement,
    secrets,
    soaked,
    swap,
    users,
)
from atlas_access.rollout import (
    ObservedSoak,
    Preceding,
    Service,
    ServiceMissing,
    ServiceTags,
    baseline_file,
    observed,
    read_service_tags,
    released,
    spent_by,
)
from atlas_access.smoke import BaselineRefused, SmokeInvalid, load_smoke, read_baseline


def facts(asked: StatusOrder) -> dict[Step, Fact]:
    """Everything but the local file, the code and the documents. Raises `EndpointRefused`."""
    clock = clock_for(os.environ, asked.endpoints)
    with ThreadPoolExecutor(max_workers=4) as pool:
        drifted = pool.submit(drift.observe_stack, asked.wanted, asked.sign_in, asked.endpoints)
        inventory = pool.submit(_estate, asked)
        live = _live(asked)
        soak = pool.submit(_soak, asked, asked.stack, clock)
        after = asked.own.goes_after
        before = pool.submit(_soak, asked, after, clock) if after in asked.settings else None
        proofs = _proofs(asked)
        captured = baseline_captured(asked.stack, asked.own, asked.folder)
        return {
            Step.BASELINE: captured,
            Step.USERS: users(asked, drifted.result()),
            Step.SECRETS: secrets(asked, drifted.result()),
            Step.PROOFS: proofs,
            Step.SWAP: swap(asked, live, before.result() if before else None),
            Step.GATES: gates(asked, live, captured),
            Step.SOAK: soaked(live, soak.result(), _minutes(asked)),
            Step.RETIREMENT: retirement(inventory.result(), live),
        }


def baseline_captured(stack: str, settings: Settings, folder: Path) -> Fact:
    """Whether a baseline of this stack and these scenarios is there; one is written only when every gate was green."""
    path = baseline_file(stack, settings.smoke_baseline, folder)
    try:
        text = path.read_text(encoding="utf-8")
        smoke = load_smoke((folder / "smoke.yaml").read_bytes(), "smoke.yaml")
        read = read_baseline(text, path.name, stack=stack, smoke=smoke)
    except FileNotFoundError as error:
        return Fact(holds=False, evidence=f"{Path(str(error.filename)).name} is not there")
    except (OSError, UnicodeDecodeError) as error:
        return Fact(holds=None, evidence=f"{path.name} cannot be read ({type(error).__name__})")
    except (BaselineRefused, SmokeInvalid) as error:
        return Fact(holds=False, evidence=str(error))
    when = read.captured_at[:16].replace("T", " ")
    days = (datetime.now(UTC) - datetime.fromisoformat(read.captured_at)).days
    age = "today" if days < 1 else f"{days} day{'s' if days > 1 else ''} old"
    return Fact(
        holds=True,
        evidence=f"{read.contract} plans, every gate green, captured {when} UTC ({age}) of {read.revision}",
    )


def _proofs(asked: StatusOrder) -> Fact:
    """By asking the servers now, before a swap and after."""
    stack = Stack(asked.stack, asked.wanted.manifest, asked.own, asked.endpoints, asked.sign_in)
    each = candidates(stack)
    unread = [one for one in each if one.missing and not one.absent]
    if unread:
        whys = dict.fromkeys(one.missing for one in unread)
        return Fact(
            holds=None, evidence=f"{len(unread)} of {len(each)} could not be asked: {listed(whys, 2)}"
        )
    absent = [one for one in each if one.absent]
    if absent:
        return Fact(
            holds=False, evidence=f"{len(absent)} of {len(each)} credentials are not there to be proven"
        )
    unasked = dict.fromkeys(what for one in each for what in one.unasked)
    proofs = prove_candidates(each, asked.endpoints, lambda *_: None, lambda *_: None)
    by = {verdict: [one.user for one in proofs if one.verdict is verdict] for verdict in Verdict}
    if by[Verdict.REFUTED]:
        return Fact(
            holds=False, evidence=f"refuted: {listed(by[Verdict.REFUTED])}", against=("a proof is refuted",)
        )
    if by[Verdict.INCONCLUSIVE]:
        reasons = dict.fromkeys(one.reason for one in proofs if one.verdict is Verdict.INCONCLUSIVE)
        users = listed(dict.fromkeys(by[Verdict.INCONCLUSIVE]))
        return Fact(holds=None, evidence=f"inconclusive: {users} ({listed(reasons, 1)})")
    if unasked:
        return Fact(holds=None, evidence=f"proven just now, but unknown: {'; '.join(unasked)}")
    declared = declared_proven(proofs, (user.name for user in asked.wanted.manifest.users))
    return Fact(
        holds=True, evidence=f"{len(proofs)} of {len(proofs)} credentials, {declared} proven just now"
    )


def _live(asked: StatusOrder) -> Live:
    settings = asked.own
    ecs = client("ecs", settings.aws_region, asked.endpoints)
    try:
        service = Service(ecs, settings.ecs_cluster, settings.ecs_service)
        state, tags = service.observe_tags()
        service_tags = read_service_tags(tags)
        if service_tags.bound is not None and service_tags.bound.revision != state.revision:
            was, runs = service.definition(service_tags.bound.revision), service.definition(state.revision)
            service_tags = released(service_tags, state.revision, was, runs)
        spent = spent_by(ecs, state.revision, settings.repair) if settings.repair else ""
    except ServiceMissing as error:
        return Live(None, ServiceTags(), {}, str(error))
    except AwsUnavailable as error:
        return Live(None, ServiceTags(), {}, f"the service could not be described ({error})")
    return Live(state, service_tags, tags, repair_spent_by=spent)


def _estate(asked: StatusOrder) -> LegacyInventory:
    wanted = asked.wanted
    observed = legacy.observe_legacy(
        wanted.manifest, wanted.stack, asked.settings, asked.sign_in, asked.endpoints
    )
    return legacy_inventory(
        wanted.manifest, wanted.stack, wanted.known, observed, retired=wanted.legacy_is_gone
    )


def _minutes(asked: StatusOrder) -> int:
    """How long this stack has to soak: as whoever follows it asks for, else as it asks of others."""
    after = [each.soak_minutes for each in asked.settings.values() if each.goes_after == asked.stack]
    return max(after, default=asked.own.soak_minutes)


def _soak(asked: StatusOrder, stack: str, clock: Clock) -> ObservedSoak | str:
    own, theirs = asked.own, asked.settings[stack]
    asks = next((each for each in asked.settings.values() if each.goes_after == stack), own)
    role = "" if own.aws_account_id == theirs.aws_account_id else own.looks_as
    before = Preceding.of(stack, theirs, role, asks, own=stack == asked.stack)
    return observed(before, own.aws_account_id, asked.endpoints, clock)
