"""Looks at how far a stack's migration is: baseline, users, secrets, proofs, service, soak, and what is left of legacy.

Read-only, but for proofs, which leave nothing behind. What cannot be read is a fact that nobody knows, never one that
holds. The phases that lie on a developer's machine and in the application's code are looked at elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from access.baseline import BaselineRefused, read_baseline
from access.drift import Wanted
from access.drift_finding import Drift
from access.drift_words import listed
from access.endpoints import Endpoints
from access.legacy_estate import Belongs, LegacyEstate, Standing, legacy_estate
from access.migration import Fact, Step
from access.settings import Settings
from access.smoke_file import SmokeInvalid, load_smoke
from access.verdict import Verdict
from probes import drift, legacy
from probes.atlas_sign_in import SignIn
from probes.aws import client
from probes.stack_proof import Stack, candidates, prove_candidates
from rollout.clock import Clock, clock_for
from rollout.marks import Marks
from rollout.plan import ServiceState, short
from rollout.retirement_marks import Stage, read_journal
from rollout.service import Service, ServiceMissing
from rollout.smoke_gates import baseline_file
from rollout.soak import SoakSeen, named, refusals
from rollout.soak_looks import Preceding, looked

_SHOWN = 3


@dataclass(frozen=True)
class Looked:
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
    """The service as it is: its state, marks and tags, or why they are not known."""

    state: ServiceState | None
    marks: Marks
    tags: Mapping[str, str]
    why: str = ""

    @property
    def bound(self) -> bool:
        """Whether a green rollout of ours brought what runs."""
        mark = self.marks.bound
        return self.state is not None and mark is not None and self.state.runs(mark.revision)


def facts(asked: Looked) -> dict[Step, Fact]:
    """Everything but the local file, the code and the documents. Raises `EndpointRefused`."""
    clock = clock_for(os.environ, asked.endpoints)
    with ThreadPoolExecutor(max_workers=4) as pool:
        drifted = pool.submit(drift.look, asked.wanted, asked.sign_in, asked.endpoints)
        estate = pool.submit(_estate, asked)
        live = _live(asked)
        soak = pool.submit(_soak, asked, asked.stack, clock)
        after = asked.own.goes_after
        before = pool.submit(_soak, asked, after, clock) if after in asked.settings else None
        proofs = _proofs(asked, live)
        return {
            Step.BASELINE: baseline(asked),
            Step.USERS: users(asked, drifted.result()),
            Step.SECRETS: secrets(asked, drifted.result()),
            Step.PROOFS: proofs,
            Step.SWAP: swap(asked, live, before.result() if before else None),
            Step.GATES: gates(asked, live),
            Step.SOAK: soaked(live, soak.result(), _minutes(asked)),
            Step.RETIREMENT: retirement(estate.result(), live),
        }


def baseline(asked: Looked) -> Fact:
    """Whether a baseline of this stack and these scenarios is there; one is written only when every gate was green."""
    path = baseline_file(asked.stack, asked.own.smoke_baseline, asked.folder)
    try:
        text = path.read_text(encoding="utf-8")
        smoke = load_smoke((asked.folder / "smoke.yaml").read_bytes(), "smoke.yaml")
        read = read_baseline(text, path.name, stack=asked.stack, smoke=smoke)
    except FileNotFoundError as error:
        return Fact(holds=False, evidence=f"{Path(str(error.filename)).name} is not there")
    except (OSError, UnicodeDecodeError) as error:
        return Fact(holds=None, evidence=f"{path.name} cannot be read ({type(error).__name__})")
    except (BaselineRefused, SmokeInvalid) as error:
        return Fact(holds=False, evidence=str(error))
    when = read.captured_at[:16].replace("T", " ")
    return Fact(
        holds=True,
        evidence=f"{read.contract} plans, every gate green, captured {when} UTC of {read.revision}",
    )


def users(asked: Looked, found: Drift) -> Fact:
    """Whether the managed users and roles are there as declared."""
    manifest = asked.wanted.manifest
    names = {*(user.name for user in manifest.users), *(role.name for role in manifest.roles)}
    managed = [each for each in found.findings if each.subject in names and each.target is not None]
    unread = [each for each in found.unread if each.what in ("database users", "custom roles")]
    if managed:
        return Fact(holds=False, evidence=_told(each.what for each in managed))
    if unread:
        return Fact(holds=None, evidence=_told(map(str, unread)))
    return Fact(holds=True, evidence="every managed user and role is in Atlas as declared")


def secrets(asked: Looked, found: Drift) -> Fact:
    """Whether the secrets of this account are there, readable, each with a current version."""
    names = asked.wanted.estate.wanted_secrets
    wrong = [each for each in found.findings if each.subject in names]
    if wrong:
        return Fact(holds=False, evidence=_told(each.what for each in wrong))
    unread = [
        each
        for each in found.unread
        if each.what.startswith(("secret ", "AWS account", "key ")) or each.what in names
    ]
    if unread:
        return Fact(holds=None, evidence=_told(map(str, unread)))
    return Fact(
        holds=True, evidence=f"{len(names)} secrets, each with a current version, under {asked.own.kms_alias}"
    )


def swap(asked: Looked, live: Live, before: SoakSeen | str | None) -> Fact:
    """Whether the service runs what a rollout of ours ended on; what stands against it, the stack before included."""
    if live.state is None:
        return Fact(holds=None, evidence=live.why)
    runs = f"{short(live.state.revision)} runs {live.state.counted}"
    marks = live.marks
    if marks.broken:
        return Fact(holds=None, evidence=f"{runs}; its tags make no sense ({marks.broken})")
    against = []
    if marks.lease is not None:
        against.append(f"run {marks.lease.run} is moving it to {short(marks.lease.wanted)}")
    if marks.held is not None and marks.held >= asked.own.rollout_release:
        against.append(f"it was rolled back and is held: raise rolloutRelease above {marks.held}")
    if live.bound and not against:
        since = "" if marks.bound is None else f" since {_moment(marks.bound.since)}"
        return Fact(holds=True, evidence=f"{runs}, bound{since}")
    if isinstance(before, str):
        against.append(before)
    elif before is not None:
        against += refusals(before, asked.own.soak_minutes)
    return Fact(holds=False, evidence=f"{runs}, which no green rollout ended on", against=tuple(against))


def gates(asked: Looked, live: Live) -> Fact:
    """Whether the gates were green after the swap: a rollout is recorded as bound only then."""
    if live.state is None:
        return Fact(holds=None, evidence=live.why)
    if not live.bound or live.marks.bound is None:
        return Fact(holds=False, evidence="no rollout has ended green on what runs")
    if asked.own.allow_ungated_rollout:
        return Fact(holds=None, evidence="allowUngatedRollout: nothing says that the gates were run")
    return Fact(
        holds=True,
        evidence=f"two green rounds ended the rollout onto {short(live.marks.bound.revision)} "
        f"at {_moment(live.marks.bound.since)}",
    )


def soaked(live: Live, seen: SoakSeen | str, minutes: int) -> Fact:
    """Whether what runs has been bound for long enough without an error spike."""
    if isinstance(seen, str):
        return Fact(holds=None, evidence=seen)
    against = refusals(seen, minutes)
    if not against:
        return Fact(holds=True, evidence=f"{seen.minutes:.0f} minutes bound; {named(seen.sources)}")
    if not live.bound:
        return Fact(holds=False, evidence=against[0])
    unclear = [each for each in seen.sources if each.answer.value == "unknown"]
    if unclear and len(against) == len(unclear):
        return Fact(holds=None, evidence="; ".join(against))
    spikes = tuple(each for each in against if ": spike: " in each)
    return Fact(holds=False, evidence="; ".join(against), against=spikes)


def retirement(estate: LegacyEstate, live: Live) -> Fact:
    """Whether every legacy user and role is gone and every legacy secret past reading; else how far it is."""
    rows = [row for row in estate.users if row.belongs is Belongs.LEGACY]
    buried = [row for row in rows if row.standing is Standing.TOMBSTONED]
    roles = [
        row.name for row in estate.roles if row.belongs is Belongs.LEGACY and row.standing is Standing.PRESENT
    ]
    readable = [
        row.name
        for row in estate.secrets
        if row.belongs is Belongs.LEGACY and row.standing is Standing.PRESENT
    ]
    told = f"{len(estate.left)} of {len(rows)} legacy users left"
    told += f" ({len(buried)} tombstoned)" if buried else ""
    told += f", {len(roles)} roles, {len(readable)} readable secrets"
    journal = read_journal(live.tags)
    if journal.broken:
        return Fact(holds=None, evidence=f"{told}; the retirement's tags make no sense ({journal.broken})")
    if journal.stage is not Stage.NONE:
        at = "" if journal.since is None else f" since {_moment(journal.since)}"
        told += f"; the service's record: {journal.stage.value}{at}"
    unread = [each for each in estate.unread if each.what in ("database users", "custom roles", "secrets")]
    if unread:
        return Fact(holds=None, evidence=_told(map(str, unread)))
    return Fact(holds=not (estate.left or roles or readable), evidence=told)


def _proofs(asked: Looked, live: Live) -> Fact:
    """Proven right before the swap, for what runs; before it, by asking the servers now."""
    if live.bound and live.marks.bound is not None:
        evidence = (
            f"every credential was proven again right before the swap of {_moment(live.marks.bound.since)}"
        )
        return Fact(holds=True, evidence=evidence)
    stack = Stack(asked.stack, asked.wanted.manifest, asked.own, asked.endpoints, asked.sign_in)
    each = candidates(stack)
    absent = [one for one in each if one.missing]
    if absent:
        return Fact(
            holds=False, evidence=f"{len(absent)} of {len(each)} credentials are not there to be proven"
        )
    proofs = prove_candidates(each, asked.endpoints, lambda *_: None, lambda *_: None)
    by = {verdict: [one.user for one in proofs if one.verdict is verdict] for verdict in Verdict}
    if by[Verdict.REFUTED]:
        return Fact(
            holds=False, evidence=f"refuted: {listed(by[Verdict.REFUTED])}", against=("a proof is refuted",)
        )
    if by[Verdict.INCONCLUSIVE]:
        return Fact(holds=None, evidence=f"inconclusive: {listed(by[Verdict.INCONCLUSIVE])}")
    return Fact(holds=True, evidence=f"{len(proofs)} of {len(proofs)} credentials proven just now")


def _live(asked: Looked) -> Live:
    settings = asked.own
    ecs = client("ecs", settings.aws_region, asked.endpoints)
    try:
        state, marks = Service(ecs, settings.ecs_cluster, settings.ecs_service).look_marked()
        tags = ecs.list_tags_for_resource(resourceArn=state.arn).get("tags") or ()
    except ServiceMissing as error:
        return Live(None, Marks(), {}, str(error))
    except (ClientError, BotoCoreError) as error:
        code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
        return Live(None, Marks(), {}, f"the service could not be described ({code or type(error).__name__})")
    return Live(state, marks, {str(tag["key"]): str(tag.get("value", "")) for tag in tags})


def _estate(asked: Looked) -> LegacyEstate:
    wanted = asked.wanted
    seen = legacy.look(wanted.manifest, wanted.stack, asked.settings, asked.sign_in, asked.endpoints)
    return legacy_estate(wanted.manifest, wanted.stack, wanted.known, seen, retired=wanted.legacy_is_gone)


def _minutes(asked: Looked) -> int:
    """How long this stack has to soak: as whoever follows it asks for, else as it asks of others."""
    after = [each.soak_minutes for each in asked.settings.values() if each.goes_after == asked.stack]
    return max(after, default=asked.own.soak_minutes)


def _soak(asked: Looked, stack: str, clock: Clock) -> SoakSeen | str:
    own, theirs = asked.own, asked.settings[stack]
    asks = next((each for each in asked.settings.values() if each.goes_after == stack), own)
    before = Preceding(
        stack=stack,
        account=theirs.aws_account_id,
        region=theirs.aws_region,
        cluster=theirs.ecs_cluster,
        service=theirs.ecs_service,
        role_arn=_role(own, theirs),
        atlas_project=theirs.atlas_project_id,
        atlas_cluster=theirs.atlas_cluster,
        minutes=asks.soak_minutes,
        logins=not asks.soak_without_login_history,
    )
    return looked(before, own.aws_account_id, asked.endpoints, clock)


def _role(own: Settings, theirs: Settings) -> str:
    if own.aws_account_id == theirs.aws_account_id or not own.looks_as:
        return ""
    return f"arn:aws:iam::{theirs.aws_account_id}:role/{own.looks_as}"


def _told(words: Iterable[str]) -> str:
    return listed(words, _SHOWN)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
