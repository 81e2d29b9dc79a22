"""What of a migration each observation has shown, judged phase by phase: users, secrets, swap, gates, soak, retirement.

Pure: it judges what `atlas_access.retirement.observe_status` has read. What was not read is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas_access.base import Endpoints, Settings
from atlas_access.clients import SignIn
from atlas_access.drift import Drift, Wanted, listed, moment
from atlas_access.retirement.inventory import Belongs, LegacyInventory, Standing
from atlas_access.retirement.journal import Stage, read_journal
from atlas_access.retirement.status import Fact
from atlas_access.rollout import (
    ObservedSoak,
    ServiceState,
    ServiceTags,
    named,
    refusals,
    short,
    spent_finding,
)

_SHOWN = 3


@dataclass(frozen=True)
class StatusOrder:
    """Whose migration, by which settings of every environment, with which keys, from which folder."""

    wanted: Wanted
    settings: Mapping[str, Settings]
    sign_in: SignIn
    endpoints: Endpoints
    folder: Path

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.wanted.stack

    @property
    def own(self) -> Settings:
        """Its settings."""
        return self.settings[self.stack]


@dataclass(frozen=True)
class Live:
    """The service as it is: its state, service_tags and tags, or why they are not known.

    `repair_spent_by` is the revision that has spent the repair that is still configured.
    """

    state: ServiceState | None
    service_tags: ServiceTags
    tags: Mapping[str, str]
    why: str = ""
    repair_spent_by: str = ""

    @property
    def bound(self) -> bool:
        """Whether a green rollout of ours brought what runs."""
        mark = self.service_tags.bound
        return self.state is not None and mark is not None and self.state.runs(mark.revision)


def users(asked: StatusOrder, found: Drift) -> Fact:
    """Whether the managed users and roles are there as declared."""
    manifest = asked.wanted.manifest
    names = {*manifest.logins, *(role.name for role in manifest.roles)}
    managed = [each for each in found.findings if each.subject in names and each.target is not None]
    unread = [each for each in found.unread if each.what in ("database users", "custom roles")]
    if managed:
        return Fact(holds=False, evidence=listed((each.what for each in managed), _SHOWN))
    if unread:
        return Fact(holds=None, evidence=listed(map(str, unread), _SHOWN))
    shown = [asked.own.users.shown(user.name) for user in manifest.users]
    turned = [each for each, user in zip(shown, manifest.users, strict=True) if each != user.name]
    rotating = asked.own.users.rotating
    more = [*turned, *([f"{rotating} rotates ({asked.own.rotation_step})"] if rotating else [])]
    return Fact(
        holds=True, evidence="; ".join(("every managed user and role is in Atlas as declared", *more))
    )


def secrets(asked: StatusOrder, found: Drift) -> Fact:
    """Whether the secrets of this account are there, readable, each with a current version."""
    names = asked.wanted.inventory.wanted_secrets
    wrong = [each for each in found.findings if each.subject in names]
    if wrong:
        return Fact(holds=False, evidence=listed((each.what for each in wrong), _SHOWN))
    unread = [
        each
        for each in found.unread
        if each.what.startswith(("secret ", "AWS account", "key ")) or each.what in names
    ]
    if unread:
        return Fact(holds=None, evidence=listed(map(str, unread), _SHOWN))
    return Fact(
        holds=True, evidence=f"{len(names)} secrets, each with a current version, under {asked.own.kms_alias}"
    )


def swap(asked: StatusOrder, live: Live, before: ObservedSoak | str | None) -> Fact:
    """Whether the service runs what a rollout of ours ended on; what stands against it, the stack before included."""
    if live.state is None:
        return Fact(holds=None, evidence=live.why)
    runs = f"{short(live.state.revision)} runs {live.state.counted}"
    service_tags = live.service_tags
    if service_tags.broken:
        return Fact(holds=None, evidence=f"{runs}; its tags make no sense ({service_tags.broken})")
    if live.repair_spent_by:
        runs += f"; {spent_finding(asked.stack, live.repair_spent_by)}"
    against = []
    if service_tags.lease is not None:
        against.append(f"run {service_tags.lease.run} is moving it to {short(service_tags.lease.wanted)}")
    if service_tags.held is not None and service_tags.held >= asked.own.rollout_release:
        against.append(f"it was rolled back and is held: raise rolloutRelease above {service_tags.held}")
    if live.bound and not against:
        since = "" if service_tags.bound is None else f" since {moment(service_tags.bound.since)}"
        return Fact(holds=True, evidence=f"{runs}, bound{since}")
    if isinstance(before, str):
        against.append(before)
    elif before is not None:
        against += refusals(before, asked.own.soak_minutes)
    return Fact(holds=False, evidence=f"{runs}, which no green rollout ended on", against=tuple(against))


def gates(asked: StatusOrder, live: Live, captured: Fact) -> Fact:
    """Whether the gates were green after the swap: a rollout is recorded as bound only then.

    `captured` is what is known of the baseline: without one, no gate can have been judged.
    """
    if live.state is None:
        return Fact(holds=None, evidence=live.why)
    if not live.bound or live.service_tags.bound is None:
        return Fact(holds=False, evidence="no rollout has ended green on what runs")
    if asked.own.allow_ungated_rollout:
        return Fact(holds=None, evidence="allowUngatedRollout: nothing says that the gates were run")
    if not captured.holds:
        return Fact(holds=None, evidence=f"nothing says that the gates were run: {captured.evidence}")
    return Fact(
        holds=True,
        evidence=f"two green rounds ended the rollout onto {short(live.service_tags.bound.revision)} "
        f"at {moment(live.service_tags.bound.since)}",
    )


def soaked(live: Live, observed: ObservedSoak | str, minutes: int) -> Fact:
    """Whether what runs has been bound for long enough without an error spike."""
    if isinstance(observed, str):
        return Fact(holds=None, evidence=observed)
    against = refusals(observed, minutes)
    if not against:
        return Fact(holds=True, evidence=f"{observed.minutes:.0f} minutes bound; {named(observed.sources)}")
    if not live.bound:
        return Fact(holds=False, evidence=against[0])
    unclear = [each for each in observed.sources if each.answer.value == "unknown"]
    if unclear and len(against) == len(unclear):
        return Fact(holds=None, evidence="; ".join(against))
    spikes = tuple(each for each in against if ": spike: " in each)
    return Fact(holds=False, evidence="; ".join(against), against=spikes)


def retirement(inventory: LegacyInventory, live: Live) -> Fact:
    """Whether every legacy user and role is gone and every legacy secret past reading; else how far it is."""
    rows = [row for row in inventory.users if row.belongs is Belongs.LEGACY]
    buried = [row for row in rows if row.standing is Standing.TOMBSTONED]
    roles = [
        row.name
        for row in inventory.roles
        if row.belongs is Belongs.LEGACY and row.standing is Standing.PRESENT
    ]
    readable = [
        row.name
        for row in inventory.secrets
        if row.belongs is Belongs.LEGACY and row.standing is Standing.PRESENT
    ]
    shown = f"{len(inventory.left)} of {len(rows)} legacy users left"
    shown += f" ({len(buried)} tombstoned)" if buried else ""
    shown += f", {len(roles)} roles, {len(readable)} readable secrets"
    journal = read_journal(live.tags)
    if journal.broken:
        return Fact(holds=None, evidence=f"{shown}; the retirement's tags make no sense ({journal.broken})")
    if journal.stage is not Stage.NONE:
        at = "" if journal.since is None else f" since {moment(journal.since)}"
        shown += f"; the service's record: {journal.stage.value}{at}"
    unread = [each for each in inventory.unread if each.what in ("database users", "custom roles", "secrets")]
    if unread:
        return Fact(holds=None, evidence=listed(map(str, unread), _SHOWN))
    left = bool(inventory.left or roles or readable)
    return Fact(holds=not left, evidence=shown, against=tuple(_bound(inventory)) if left else ())


def _bound(inventory: LegacyInventory) -> Iterator[str]:
    """What still names a legacy secret: whatever runs here, and any revision of another account."""
    uses = [use for row in inventory.secrets if row.belongs is Belongs.LEGACY for use in row.uses]
    here = sorted({use.revision for use in uses if use.environment == inventory.stack and use.running})
    if here:
        yield f"{listed(here, _SHOWN)} runs on legacy secrets"
    for other in sorted({use.environment for use in uses} - {inventory.stack}):
        names = sorted({use.revision for use in uses if use.environment == other})
        yield f"{other} still has revisions that name a legacy secret ({listed(names, _SHOWN)}): retire {other} first"
    for part in inventory.unread:
        if part.what.startswith("task definitions"):
            yield f"unknown: {part}"
