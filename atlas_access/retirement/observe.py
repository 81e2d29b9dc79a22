"""Inspects everything that the retirement's gate is judged by, all at once, and hands it to the judges.

Only reads. What breaks while reading is an `Unread`, and an unread part never passes. Every part is read although
another one already fails: a person sees the whole gate.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from atlas_access.base import Clock, EndpointRefused, Endpoints, Finding, Phase, Settings, Unread
from atlas_access.clients import AccountTarget, SignIn, read_or_unread, server_time
from atlas_access.drift import Drift, Wanted, observe as drift_probe
from atlas_access.guards import declared_secrets
from atlas_access.manifest import KnownUser, Manifest
from atlas_access.retirement import (
    observe_bindings as legacy_bindings,
    observe_deployments as deployments,
    observe_logins as login_history,
)
from atlas_access.retirement.journal import Stage
from atlas_access.retirement.judge import conditions
from atlas_access.retirement.model import Condition
from atlas_access.retirement.observed import ObservedAccount, ObservedGate, ObservedService
from atlas_access.retirement.scope import (
    Scope,
    names_in_account,
    names_of_service,
    own_doing,
    readers_of,
    secrets_to_let_go,
)
from atlas_access.retirement.steps import Examined, LiveState
from atlas_access.rollout import PROJECT_FOLDER, UNGATED, Gates

_WORKERS = 6
_WEEK_SECONDS = 7 * 86400.0
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """What the gate is asked about: the stack's settings and the declared facts.

    `places` are every environment's account and service by name, this stack's first. `taken` are conditions that the
    gate has shown a moment ago, and that are not asked again.
    """

    stack: str
    settings: Settings
    manifest: Manifest
    known: tuple[KnownUser, ...]
    scope: Scope
    places: tuple[AccountTarget, ...]
    taken: tuple[Condition, ...] = ()

    @property
    def own(self) -> AccountTarget:
        """The stack's own account."""
        return self.places[0]


@dataclass(frozen=True)
class Eyes:
    """What an observation works with in this process. `gates` makes the smoke gates, None where none are configured."""

    endpoints: Endpoints
    sign_in: SignIn
    clock: Clock
    gates: Callable[[], Gates | None]


def examine(asked: Asked, eyes: Eyes, live: LiveState, *, strict: bool) -> Examined:
    """Ask every condition now."""
    observed = observe(asked, eyes, live)
    idle = tuple(
        revision.arn
        for account in observed.accounts
        if isinstance(account, ObservedAccount) and account.environment == asked.stack
        for revision in account.bound
        if revision.idle
    )
    taken = {each.subject: each for each in asked.taken}
    return Examined(
        tuple(taken.get(each.subject, each) for each in conditions(observed, strict=strict)), idle
    )


def observe(asked: Asked, eyes: Eyes, live: LiveState) -> ObservedGate:
    """Read every part, side by side."""
    manifest, endpoints = asked.manifest, eyes.endpoints
    readers = set(readers_of(manifest, asked.stack))
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        time_there = pool.submit(_reported, "AWS's clock", lambda: server_time(asked.own.region, endpoints))
        accounts = [
            pool.submit(
                _reported,
                f"task definitions of {place.environment}",
                lambda p=place: legacy_bindings.observe(
                    p, names_in_account(manifest, asked.stack, p.environment), endpoints
                ),
            )
            for place in asked.places
            if place.environment in readers
        ]
        services = [
            pool.submit(
                _reported,
                f"service of {place.environment}",
                lambda p=place: deployments.observe(p, names_of_service(manifest, p.environment), endpoints),
            )
            for place in asked.places
        ]
        drift = pool.submit(_reported, "drift", lambda: _drift(asked, eyes))
        smoke = pool.submit(_reported, "smoke gates", lambda: _smoke(asked, eyes))
        found = [each.result() for each in services]
        there = time_there.result()
        logins = _reported("access history", lambda: _logins(asked, eyes, found, there))
        checked, explained = _explained(asked, live, drift.result())
        return ObservedGate(
            stack=asked.stack,
            settings=asked.settings,
            wall=eyes.clock.wall(),
            skew=there if isinstance(there, Unread) else eyes.clock.wall() - eyes.clock.advanced - there,
            accounts=tuple(each.result() for each in accounts),
            services=tuple(found),
            drift=checked,
            smoke=smoke.result(),
            logins=logins,
            terraform=_reported("Terraform's files", lambda: _terraform(asked)),
            explained=explained,
            tombstoned=_tombstoned(live),
        )


def _reported(what: str, read: Callable[[], T]) -> T | Unread:
    """A part, or why it could not be read; whatever breaks makes it unread, and unread never passes."""
    try:
        return read_or_unread(read, what)
    except EndpointRefused:
        raise
    except Exception as error:  # noqa: BLE001 - a gate that breaks must say so and stay shut
        return Unread(what, f"it could not be inspected ({type(error).__name__})")


def _drift(asked: Asked, eyes: Eyes) -> Drift | Unread:
    if any(each.subject == "drift_clean" for each in asked.taken):
        return Unread("drift", "shown a moment ago")
    wanted = Wanted(
        stack=asked.stack,
        manifest=asked.manifest,
        settings=asked.settings.model_copy(update={"phase": Phase.RETIRE}),
        known=asked.known,
        now=datetime.fromtimestamp(eyes.clock.wall(), UTC),
        retired=False,
    )
    return drift_probe.observe_stack(wanted, eyes.sign_in, eyes.endpoints)


def _explained(asked: Asked, live: LiveState, drift: Drift | Unread) -> tuple[Drift | Unread, int]:
    """The drift without what the retirement itself has done so far, and how much that was."""
    if isinstance(drift, Unread):
        return drift, 0
    stage = live.journal.stage
    if stage is Stage.NONE:
        return drift, 0
    tombstoned = frozenset(name for name, user in live.users.items() if user.tombstoned)
    deleting = stage in (Stage.DELETING, Stage.DELETED)
    own = own_doing(drift.findings, asked.scope, tombstoned, deleting=deleting)
    rest = tuple(finding for finding in drift.findings if finding not in own)
    return replace(drift, findings=rest), len(own)


def _smoke(asked: Asked, eyes: Eyes) -> tuple[str, ...] | Unread | None:
    if any(each.subject == "smoke_gates_green" for each in asked.taken):
        return Unread("smoke gates", "shown a moment ago")
    gates = eyes.gates()
    if gates is None:
        sandbox = eyes.endpoints.sandbox and asked.settings.allow_ungated_rollout
        return None if sandbox else Unread("smoke gates", UNGATED)
    refusals = gates.refusals()
    if refusals:
        return Unread("smoke gates", "; ".join(refusals))
    return round_of(asked, eyes, gates)


def round_of(asked: Asked, eyes: Eyes, gates: Gates) -> tuple[str, ...]:
    """The failures of one round against what the service runs now."""
    observed = deployments.observe(asked.own, names_of_service(asked.manifest, asked.stack), eyes.endpoints)
    if isinstance(observed, Unread):
        return (str(observed),)
    return gates.round(observed.running, lambda: False).failures


def _logins(
    asked: Asked, eyes: Eyes, services: list[ObservedService | Unread], there: float | Unread
) -> login_history.Found:
    """The soak begins when the last environment that reads this cluster was bound, by AWS's clock."""
    if isinstance(there, Unread):
        return there
    readers = set(readers_of(asked.manifest, asked.stack))
    bound = [
        each.since
        for each in services
        if isinstance(each, ObservedService) and each.environment in readers and each.since is not None
    ]
    since = max(bound) if len(bound) == len(readers) else there - _WEEK_SECONDS
    return login_history.observe(
        asked.settings.atlas_project_id,
        asked.settings.atlas_cluster,
        [name for name, _ in asked.scope.users],
        since,
        there,
        eyes.sign_in,
        eyes.endpoints,
    )


def _terraform(asked: Asked) -> tuple[Finding, ...] | Unread:
    if not asked.settings.terraform_directory:
        return Unread("Terraform's files", "terraformDirectory names none")
    folder = PROJECT_FOLDER / asked.settings.terraform_directory
    return tuple(declared_secrets(folder, secrets_to_let_go(asked.manifest, asked.stack)))


def _tombstoned(live: LiveState) -> float | None:
    complete = live.journal.stage in (Stage.TOMBSTONED, Stage.DELETING, Stage.DELETED)
    return live.journal.since if complete else None
