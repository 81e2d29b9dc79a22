"""Turns a resource's properties into a goal and its parts: clients, clock, checks, gates. Decides nothing.

The stack's own settings are the record that the program has read and handed on, values set beside the file included.
Facts of another environment are read from that stack's own settings at the moment of use: no property of a resource
names what another environment owns (ADR 0001).
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from atlas_access.base import (
    Clock,
    Endpoints,
    SecretReference,
    Settings,
    Status,
    What,
    clock_for,
    registrable,
)
from atlas_access.clients import (
    AccountTarget,
    alarms_now,
    client,
    failed_requests,
    session_in,
)
from atlas_access.manifest import load_manifest
from atlas_access.rollout.alarms import Watched, alarm_names
from atlas_access.rollout.gates import Gates
from atlas_access.rollout.model import short
from atlas_access.rollout.observe_soak import Preceding, observed
from atlas_access.rollout.open_incident import StopLine
from atlas_access.rollout.preflight import (
    Check,
    Checks,
    Gated,
    owned,
    proven_again,
    readable,
    rotated_by_us,
    soaked,
)
from atlas_access.rollout.proven_now import proven_now
from atlas_access.rollout.readable import Readability
from atlas_access.rollout.repair import Repair
from atlas_access.rollout.rotated import follows_at_once, held_alike, rotated
from atlas_access.rollout.run import Parts, carry_out
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_log import errors_of
from atlas_access.rollout.smoke_gates import AnotherStack, OwnAnswers, SmokeGates, smoke_gates
from atlas_access.rollout.stack import (
    PROJECT_FOLDER,
    has_baseline,
    own_settings,
    say,
    service_of,
    settings_of,
)
from atlas_access.rollout.steps import Goal, Observed, Way
from atlas_access.rollout.version_labels import definitions, label_again
from atlas_access.rollout.way_back import WayBack, log_in, mongo, with_deprecated


def record_prior(props: Mapping[str, Any]) -> dict[str, Any]:
    """What ran before: where a run that died left a lease, the revision that this lease goes back to."""
    service = service_of(props, _endpoints())
    state, service_tags = service.observe_tagged()
    lease = service_tags.lease
    revision = state.revision if lease is None or state.revision == lease.prior else lease.target
    definition = registrable(service.definition(revision))
    return {
        **props,
        "revision_arn": revision,
        "definition": json.dumps(definition, sort_keys=True),
        "left_behind": "" if lease is None else lease.wanted,
    }


def roll_out(props: Mapping[str, Any]) -> dict[str, Any]:
    """Swap onto the wanted revision. Raises `RolloutFailed`."""
    endpoints = _endpoints()
    service = service_of(props, endpoints)
    stack, settings = str(props["stack"]), own_settings(props, endpoints)
    wanted, release, manifest = (
        str(props["wanted"]),
        settings.rollout_release,
        load_manifest((PROJECT_FOLDER / "access.yaml").read_bytes()),
    )
    state, tags = service.observe_tagged()
    running = state.revision
    if settings.users.ends and held_alike(service, tags, running, wanted, release):
        # The end of a rotation moves nothing then, so that it works while the service is held.
        say(f"{short(running)} is bound as wanted: nothing is moved")
        return {**props, "running_revision": running, "gates": "not run", "gated_at": ""}
    gates = gates_for(stack, settings, endpoints)
    changed = rotated(manifest, stack, service, running, wanted)
    if changed and isinstance(gates, SmokeGates):
        gates = OwnAnswers(gates, running, say)
    goal = Goal(
        way=Way.FORWARD,
        run=new_run(),
        prior=str(props["prior"]),
        wanted=wanted,
        release=release,
        deadline_seconds=float(settings.rollout_deadline_seconds),
    )
    readability = Readability(settings.aws_region, endpoints)
    way_back = way_back_of(
        settings,
        service,
        endpoints,
        say,
        lambda: with_deprecated(mongo(service.definition(goal.wanted)), manifest.successors),
        props,
        readability,
    )
    repair = None
    if settings.repair:
        repair = partial(Repair(stack, settings.repair, service).against, wanted=goal.wanted)
    checks: dict[str, Check] = {
        "proving again": proven_again(props["proofs"], endpoints, goal.wanted, service),
        "reading the secrets": readable(readability, service, goal.wanted),
        "who rotates the secrets": rotated_by_us(readability, props["proofs"]),
        "the way back": way_back.before(goal.prior),
        "ownership": owned(
            Status(str(props["ownership"])),
            str(props["ownership_why"]),
            acknowledged=settings.acknowledged(What.TERRAFORM_RELEASED) is not None,
        ),
        "the gates": (before := Gated(gates, settings.allow_ungated_rollout, repair, say)),
    }
    if settings.goes_after:
        follows = follows_at_once(manifest, stack, settings, changed)
        only = f", without a soak: only {', '.join(sorted(changed))} changes" if follows else ""
        say(f"{_asked_again(settings)}{only}")
        checks["the soak before"] = _soak(settings, endpoints, 0 if follows else settings.soak_minutes)
    _label_again(service, settings, endpoints)
    line = StopLine(stack, settings.github_repository, endpoints, os.environ, say)
    with line.watching(lambda failure: failure.moved or before.red) as green:
        parts = parts_of(stack, settings, service, endpoints, Checks(checks), gates, way_back)
        done = green(carry_out(goal, replace(parts, alarms=watched(stack, settings, endpoints, parts.clock))))
    return {
        **props,
        "running_revision": done.revision,
        "gates": "not run" if gates is None else "green",
        "gated_at": ""
        if gates is None or not done.moved
        else datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _label_again(service: Service, settings: Settings, endpoints: Endpoints) -> None:
    state, service_tags = service.observe_tagged()
    bound = service_tags.bound
    revisions = [state.revision, *([bound.prior] if bound is not None else [])]
    store = client("secretsmanager", settings.aws_region, endpoints)
    label_again(store, definitions(service.definition, revisions), say)


def undo_rollout(props: Mapping[str, Any]) -> None:
    """Put the recorded revision back where the service runs ours, or is being moved onto it. Raises `RolloutFailed`."""
    _go_back(props, str(props["prior"]), leaving=str(props["wanted"]))


def settle_lease(props: Mapping[str, Any]) -> None:
    """Undo what no state knows of: a dead run's lease, or a rollout that ended after its engine was gone.

    Where a state knows the rollout, its own deletion went before and left neither. Raises `RolloutFailed`.
    """
    state, service_tags = service_of(props, _endpoints()).observe_tagged()
    if service_tags.lease is not None:
        _go_back(props, service_tags.lease.target, leaving=service_tags.lease.wanted)
    elif service_tags.bound is not None and service_tags.bound.revision == state.revision:
        _go_back(props, service_tags.bound.prior, leaving=service_tags.bound.revision)


def _go_back(props: Mapping[str, Any], prior: str, *, leaving: str) -> None:
    endpoints = _endpoints()
    service = service_of(props, endpoints)
    stack, settings = str(props["stack"]), own_settings(props, endpoints)
    gates = gates_for(stack, settings, endpoints)
    goal = Goal(
        way=Way.BACK,
        run=new_run(),
        prior=prior,
        leaving=leaving,
        release=settings.rollout_release,
        deadline_seconds=float(settings.rollout_deadline_seconds),
        cause="the stack goes back to phase provision",
    )
    today = partial(proven_now, stack, settings, endpoints)
    way_back = way_back_of(settings, service, endpoints, say, today, props)
    checks = Checks({"reading the secrets": way_back.resolves(prior)})
    line = StopLine(stack, settings.github_repository, endpoints, os.environ, say)
    with line.watching(lambda failure: failure.moved):
        carry_out(goal, parts_of(stack, settings, service, endpoints, checks, gates, way_back))


def parts_of(
    stack: str,
    settings: Settings,
    service: Service,
    endpoints: Endpoints,
    preflight: Callable[[Observed], tuple[str, ...]],
    gates: Gates | None,
    way_back: WayBack,
    tell: Callable[[str], None] | None = None,
) -> Parts:
    """What a run works with in this process."""
    return Parts(
        stack=stack,
        service=service,
        clock=clock_for(os.environ, endpoints),
        say=tell or say,
        preflight=preflight,
        gates=gates,
        poll_seconds=0.2 if endpoints.sandbox else 2.0,
        failed=lambda seconds: failed_requests(seconds, endpoints),
        logged=lambda revision, seconds: errors_of(
            service, revision, settings.aws_region, endpoints, seconds
        ),
        way_back=way_back,
    )


def watched(stack: str, settings: Settings, endpoints: Endpoints, clock: Clock) -> Watched:
    """The alarms that `smoke.yaml` names for the stack; those that are watched are reported."""
    names = alarm_names(stack, PROJECT_FOLDER)
    if names:
        say(f"watching the alarms {', '.join(names)}")
    return Watched(partial(alarms_now, names, settings.aws_region, endpoints), clock)


def way_back_of(
    settings: Settings,
    service: Service,
    endpoints: Endpoints,
    tell: Callable[[str], None],
    today: Callable[[], Mapping[str, SecretReference]],
    props: Mapping[str, Any] | None = None,
    readability: Readability | None = None,
) -> WayBack:
    """What finds the way back in this process; `today` gives the versions that are proven today, by variable.

    `props` are those of a rollout, with the definition that was recorded. What `readability` has asked already is not
    asked again.
    """
    region, given = settings.aws_region, props or {}
    log = partial(log_in, region=region, endpoints=endpoints)
    kept = {given["prior"]: json.loads(given["prior_definition"])} if given.get("prior_definition") else {}
    readability = readability or Readability(region, endpoints)
    return WayBack(service, log, today, readability.problems, tell, kept)


def gates_for(
    stack: str,
    settings: Settings,
    endpoints: Endpoints,
    *,
    allow_ungated: bool | None = None,
    other: AnotherStack | None = None,
) -> Gates | None:
    """The smoke gates of a stack, judged by its baseline; None where there is none.

    `allow_ungated` is the stack's own setting, unless another stack inspects it.
    """
    allowed = settings.allow_ungated_rollout if allow_ungated is None else allow_ungated
    if not has_baseline(stack, settings, allow_ungated=allowed):
        return None
    return smoke_gates(stack, settings, endpoints, PROJECT_FOLDER, other=other)


def new_run() -> str:
    """A name for one run."""
    return uuid.uuid4().hex[:12]


def _soak(own: Settings, endpoints: Endpoints, minutes: int) -> Any:
    theirs = settings_of(own.goes_after, endpoints)
    before = Preceding.of(own.goes_after, theirs, own.soak_role, own)
    return soaked(
        partial(observed, before, own.aws_account_id, endpoints, clock_for(os.environ, endpoints)),
        minutes,
        partial(_gates_before, own, theirs, endpoints),
        allow_ungated=own.allow_ungated_rollout,
    )


def _gates_before(own: Settings, theirs: Settings, endpoints: Endpoints) -> Gates | None:
    """The gates of the stack that goes first, gate 8 as the role that may look there. Raises `AwsUnavailable`."""
    after, allow = own.goes_after, own.allow_ungated_rollout
    if allow and not theirs.smoke_baseline:
        return None
    other = AnotherStack(signs_up=False)
    if own.acknowledged(What.SOAK_WITHOUT_SIGN_UP) is None:
        place = AccountTarget.of(after, theirs, own.soak_role)
        other = AnotherStack(session_in(place, endpoints, "soak"))
    return gates_for(after, theirs, endpoints, allow_ungated=allow, other=other)


def _asked_again(own: Settings) -> str:
    if own.acknowledged(What.SOAK_WITHOUT_SIGN_UP) is not None:
        return f"{own.goes_after} goes first: its gates 1 to 7 are run again now; gate 8 is left to its own rollouts"
    return f"{own.goes_after} goes first: its eight gates are run again now"


def _endpoints() -> Endpoints:
    return Endpoints.from_environment(os.environ)
