"""Every reason not to swap, found at once and shown together: proofs, secrets, ownership, gates, the soak before.

The credentials are proven again, right before the swap, from the very versions that tasks will receive. Each check that
breaks is a reason of its own: nothing here lets a swap begin because something could not be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from atlas_access.base import Endpoints, Status
from atlas_access.clients import AwsUnavailable
from atlas_access.proof import Made, Proof, ProofRequest, Verdict, make_all
from atlas_access.rollout.alarms import unsettled
from atlas_access.rollout.gates import UNGATED, Gates
from atlas_access.rollout.model import short
from atlas_access.rollout.readable import Readability, references
from atlas_access.rollout.service import Service
from atlas_access.rollout.soak import ObservedSoak, refusals as soak_refusals
from atlas_access.rollout.steps import Observed

Check = Callable[[Observed], tuple[str, ...]]


@dataclass(frozen=True)
class Checks:
    """Named checks, run side by side; their reasons keep the order of the checks."""

    named: Mapping[str, Check]

    def __call__(self, observed: Observed) -> tuple[str, ...]:
        """Every reason of every check, each once."""

        def one(name: str) -> tuple[str, ...]:
            try:
                return self.named[name](observed)
            except Exception as error:  # noqa: BLE001 - what cannot be checked is a reason not to start
                return (f"{name} could not be checked: {_text(error)}",)

        with ThreadPoolExecutor(max_workers=max(1, len(self.named))) as pool:
            found = list(pool.map(one, self.named))
        return tuple(dict.fromkeys(reason for reasons in found for reason in reasons))


def proven_again(
    proofs: Sequence[Mapping[str, Any]], endpoints: Endpoints, wanted: str, service: Service
) -> Check:
    """Prove every credential of the new revision now, each by its own runner, and hold that no other version is bound.

    `proofs` are the inputs of the program's own proofs. The audit log that they have observed is the one expected now.
    """

    def check(_: Observed) -> tuple[str, ...]:
        if not proofs:
            return ("no credential to prove was handed to the rollout; nothing is swapped unproven",)
        made = [Made.of(each) for each in proofs]
        found = make_all(made, endpoints)
        return (*refuted(found), *unproven([each.request for each in made], service.definition(wanted)))

    return check


def refuted(proofs: Sequence[Proof]) -> tuple[str, ...]:
    """A line for each proof that is not proven."""
    return tuple(
        f"{proof.verdict.value.upper()}  {proof.user} on {proof.cluster} ({proof.address} address): {proof.reason}"
        for proof in proofs
        if proof.verdict is not Verdict.PROVEN
    )


def unproven(requests: Sequence[ProofRequest], definition: Mapping[str, Any]) -> tuple[str, ...]:
    """Mongo variables of a definition whose exact secret version is not among those proven."""
    proven = {(request.secret_arn, request.secret_version) for request in requests}
    named, foreign = references(definition)
    return (
        *(
            f"{variable} is bound to {each.name} {each.version or 'without a version'}, which was not proven"
            for variable, each in named.items()
            if variable.startswith("MONGODB_") and (each.arn, each.version) not in proven
        ),
        *(f"{each} is bound to no secret version" for each in foreign if each.startswith("MONGODB_")),
    )


def readable(readability: Readability, service: Service, revision: str) -> Check:
    """Tasks of this revision could start."""

    def check(_: Observed) -> tuple[str, ...]:
        return readability.refusals(revision, service.definition(revision))

    return check


def rotated_by_us(readability: Readability, proofs: Sequence[Mapping[str, Any]]) -> Check:
    """Nobody but this project replaces the value of a secret that was proven."""

    def check(_: Observed) -> tuple[str, ...]:
        return readability.rotated(str(each["secret_arn"]) for each in proofs)

    return check


@dataclass
class Gated:
    """The gates can be run, and they and the watched alarms are green now; `red` says whether one was found not to be.

    Red gates and alarms are only reported where a `repair`, given the running revision, has nothing `against` it.
    """

    gates: Gates | None
    allow_ungated: bool
    repair: Callable[[str], tuple[str, ...]] | None = None
    say: Callable[[str], None] = lambda _: None
    red: bool = False

    def __call__(self, observed: Observed) -> tuple[str, ...]:
        """Each gate that fails before any change is a reason not to start."""
        alarms = unsettled(observed.alarms)
        if self.gates is None:
            return alarms if self.allow_ungated else (UNGATED, *alarms)
        refused = self.gates.refusals()
        if refused:
            return (*refused, *alarms)
        now = short(observed.service.revision)
        failed = (*alarms, *self.gates.round(observed.service.revision, lambda: False).failures)
        self.red = bool(failed)
        failures = tuple(f"{failure} (already on {now}, before any change)" for failure in failed)
        if not failed or self.repair is None:
            return failures
        against = self.repair(observed.service.revision)
        if against:
            return (*failures, *against)
        for failure in failures:
            self.say(f"{failure}: reported only, because atlas-access:repair states a repair")
        return ()


def owned(answer: Status, why: str, *, acknowledged: bool) -> Check:
    """Terraform has let go: its HCL says so, or the configuration acknowledges it and the HCL does not deny it."""

    def check(_: Observed) -> tuple[str, ...]:
        if answer is Status.GOOD or (acknowledged and answer is not Status.BAD):
            return ()
        problem = why or "whether Terraform still owns the task definition is unknown"
        return (
            problem
            if answer is Status.BAD or why
            else f"{problem}: state terraform-released in atlas-access:acknowledged once it has let go",
        )

    return check


def soaked(
    observe: Callable[[], ObservedSoak | str],
    minutes: int,
    gates: Callable[[], Gates | None],
    *,
    allow_ungated: bool,
) -> Check:
    """The environment before has soaked without a spike, and its gates, run again now, are green."""

    def check(_: Observed) -> tuple[str, ...]:
        observed = observe()
        if isinstance(observed, str):
            return (observed,)
        reasons = soak_refusals(observed, minutes)
        again: tuple[str, ...] = ()
        try:
            before = gates()
        except AwsUnavailable as error:
            return (*reasons, f"{observed.stack}: its gates cannot be run again: {error}")
        if before is None and not allow_ungated:
            again = (f"{observed.stack}: its gates cannot be run again: no baseline of it",)
        elif before is not None:
            again = before.refusals() or before.round(observed.service.revision, lambda: False).failures
        return (
            *reasons,
            *(each if each.startswith(observed.stack) else f"{observed.stack}: {each}" for each in again),
        )

    return check


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, AwsUnavailable) else f"{type(error).__name__}: {error}"
