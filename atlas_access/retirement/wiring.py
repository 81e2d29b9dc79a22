"""Turns a resource's properties, or a command's words, into a retirement's goal and its parts. Decides nothing.

The stack's own settings are the record that the program hands on. Facts of other environments are read from their own
settings at the moment of use: no property of a resource names what another environment owns (ADR 0001).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from atlas_access.base import Endpoints, Settings, clock_for
from atlas_access.clients import AccountTarget, SignIn, client
from atlas_access.manifest import Manifest, load_known_users, load_manifest
from atlas_access.retirement.journal import Stage
from atlas_access.retirement.live import LiveSystems, sign_in_for_changes
from atlas_access.retirement.model import evidence_json, fresh_from, open_ones
from atlas_access.retirement.observe import Asked, Eyes, examine, round_of
from atlas_access.retirement.report import RetirementRefused, refused
from atlas_access.retirement.run import Parts, carry_out
from atlas_access.retirement.scope import Scope, scope_of
from atlas_access.retirement.steps import Done, Goal, Target, Way
from atlas_access.rollout import PROJECT_FOLDER, gates_for, own_settings, say, settings_of


def show_gate(props: Mapping[str, Any], before: str) -> dict[str, Any]:
    """Ask every condition and return the evidence. Raises `RetirementRefused` while one is not met.

    Once everything is deleted there is nothing left to ask for: the evidence of `before` stays.
    """
    endpoints = Endpoints.from_environment(os.environ)
    asked = asked_of(props, endpoints)
    eyes = _eyes(asked, endpoints)
    goal = goal_of(asked.stack, Way(asked.settings.retirement.value), asked.scope)
    systems = _live(asked.settings, endpoints, eyes.sign_in, eyes.clock.wall)
    live = systems.observe(goal)
    if live.journal.stage is Stage.DELETED and before:
        return {**props, "evidence": before}
    found = examine(asked, eyes, live, strict=False)
    unmet = open_ones(found.conditions)
    if unmet:
        first, *rest = refused(asked.stack, goal.way, [str(each) for each in unmet], found.conditions)
        raise RetirementRefused("\n".join([first, *(f"  {line}" for line in rest)]))
    return {
        **props,
        "evidence": evidence_json(asked.stack, asked.settings.retirement, live.wall, found.conditions),
    }


def retire(props: Mapping[str, Any], recorded_since: float | None) -> dict[str, Any]:
    """Carry out the configured step. Raises `RetirementRefused`."""
    endpoints = Endpoints.from_environment(os.environ)
    asked = asked_of(props, endpoints)
    goal = goal_of(asked.stack, Way(asked.settings.retirement.value), asked.scope, recorded_since)
    now = clock_for(os.environ, endpoints).wall()
    asked = replace(
        asked, taken=fresh_from(str(props.get("evidence") or ""), asked.stack, asked.settings.retirement, now)
    )
    done = carry_out(goal, parts_for(asked, endpoints))
    return {
        **props,
        "stage": done.stage.value,
        "tombstoned_at": done.since or 0.0,
        "kept": [f"role {role}: {why}" for role, why in done.kept.items()],
    }


def leave(props: Mapping[str, Any]) -> None:
    """The stack leaves phase `retire`: roles are given back; after a deletion nothing comes back, and that is said.

    Raises `RetirementRefused` while a deletion is half-way.
    """
    endpoints = Endpoints.from_environment(os.environ)
    asked = asked_of(props, endpoints)
    goal = goal_of(asked.stack, Way.RESTORE, asked.scope)
    parts = parts_for(asked, endpoints)
    if parts.systems.observe(goal).journal.stage is Stage.DELETED:
        say(f"{asked.stack}: the legacy systems is gone and does not come back; nothing was touched")
        return
    carry_out(goal, parts)


def restore(
    stack: str, settings: Settings, manifest: Manifest, endpoints: Endpoints, tell: Callable[[str], None]
) -> Done:
    """Give every tombstoned user of a stack its recorded roles back. Raises `RetirementRefused`."""
    goal = goal_of(stack, Way.RESTORE, scope_of(manifest, stack))
    clock = clock_for(os.environ, endpoints)
    systems = _live(settings, endpoints, sign_in_for_changes(os.environ), clock.wall)
    nothing: Callable[[], tuple[str, ...]] = tuple
    parts = Parts(systems, clock, tell, _never, nothing, pause_seconds=_pause(endpoints))
    return carry_out(goal, parts)


def asked_of(props: Mapping[str, Any], endpoints: Endpoints) -> Asked:
    """What the gate is asked, from a resource's properties and the files beside the program."""
    stack = str(props["stack"])
    manifest = load_manifest((PROJECT_FOLDER / "access.yaml").read_text(encoding="utf-8"))
    known = load_known_users(
        (PROJECT_FOLDER / "known-users.yaml").read_text(encoding="utf-8"), manifest, environment=stack
    )
    settings = own_settings(props, endpoints)
    others = (
        AccountTarget.of(each, settings_of(each, endpoints), settings.looks_as)
        for each in manifest.environments
        if each != stack
    )
    return Asked(
        stack=stack,
        settings=settings,
        manifest=manifest,
        known=known,
        scope=scope_of(manifest, stack),
        places=(AccountTarget.of(stack, settings), *others),
    )


def goal_of(stack: str, way: Way, scope: Scope, recorded_since: float | None = None) -> Goal:
    """A goal about everything in a scope."""
    users = tuple(Target(name, frozenset({role})) for name, role in scope.users)
    return Goal(stack, way, users, scope.roles, scope.secrets, recorded_since)


def parts_for(asked: Asked, endpoints: Endpoints) -> Parts:
    """What a run works with in this process."""
    eyes = _eyes(asked, endpoints)

    def gates() -> tuple[str, ...]:
        found = eyes.gates()
        return () if found is None else found.refusals() or round_of(asked, eyes, found)

    return Parts(
        systems=_live(asked.settings, endpoints, eyes.sign_in, eyes.clock.wall),
        clock=eyes.clock,
        say=say,
        examine=lambda live, strict: examine(asked, eyes, live, strict=strict),
        gates=gates,
        pause_seconds=_pause(endpoints),
    )


def _live(
    settings: Settings, endpoints: Endpoints, sign_in: SignIn, wall: Callable[[], float]
) -> LiveSystems:
    return LiveSystems(
        ecs=client("ecs", settings.aws_region, endpoints),
        secrets=client("secretsmanager", settings.aws_region, endpoints),
        project=settings.atlas_project_id,
        cluster=settings.atlas_cluster,
        sign_in=sign_in,
        endpoints=endpoints,
        ecs_cluster=settings.ecs_cluster,
        service=settings.ecs_service,
        wall=wall,
    )


def _eyes(asked: Asked, endpoints: Endpoints) -> Eyes:
    return Eyes(
        endpoints=endpoints,
        sign_in=sign_in_for_changes(os.environ),
        clock=clock_for(os.environ, endpoints),
        gates=lambda: gates_for(asked.stack, asked.settings, endpoints),
    )


def _never(*_: object) -> Any:
    raise RetirementRefused("a restore asks no gate")


def _pause(endpoints: Endpoints) -> float:
    return 0.2 if endpoints.sandbox else 2.0
