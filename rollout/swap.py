"""Moves a service onto a revision, or puts the recorded one back. The whole story of one swap, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollout.plan import Progress, refusal, short
from rollout.service import Service


class RolloutFailed(RuntimeError):
    """A swap did not arrive; the message says what failed, what runs now, and what to do."""


@dataclass(frozen=True)
class Swapped:
    """A swap that arrived: what runs, and what ran before."""

    revision: str
    prior: str
    changed: bool


def swap(
    service: Service, wanted: str, prior: str, deadline_seconds: float, say: Callable[[str], None]
) -> Swapped:
    """Run `wanted` on the service; on any failure or time-out put `prior` back and wait for it.

    A service that runs `wanted` already is left alone, so that an interrupted swap can be repeated.

    Raises:
        RolloutFailed: the swap was refused or undone.
    """
    before = service.look()
    if before.revision == wanted and before.stable:
        return Swapped(wanted, prior, changed=False)
    if before.revision != wanted:
        why = refusal(before)
        if why:
            raise RolloutFailed(
                f"NOT STARTED  {service.name}: {why}. {short(before.revision)} keeps running. Update again then."
            )
        service.swap(wanted)
    try:
        judgement = service.wait(wanted, deadline_seconds, say)
    except BaseException as error:
        _undo(service, prior, deadline_seconds, say, f"{type(error).__name__} while waiting")
        raise
    if judgement.progress is Progress.ARRIVED:
        return Swapped(wanted, prior, changed=True)
    _undo(service, prior, deadline_seconds, say, judgement.why)
    raise RolloutFailed(
        f"ROLLED BACK  {service.name}: {judgement.why}. {short(prior)} runs again. "
        "Mend the cause before the next update; the service's events in ECS say more."
    )


def put_back(
    service: Service, wanted: str, prior: str, deadline_seconds: float, say: Callable[[str], None]
) -> None:
    """Undo a swap: run `prior` again where the service still runs `wanted`; leave any other revision alone.

    Raises:
        RolloutFailed: the recorded revision does not become stable.
    """
    if service.look().revision == wanted:
        _undo(service, prior, deadline_seconds, say, "the rollout is being removed")


def _undo(
    service: Service, prior: str, deadline_seconds: float, say: Callable[[str], None], cause: str
) -> None:
    say(f"putting {short(prior)} back: {cause}")
    service.swap(prior)
    judgement = service.wait(prior, deadline_seconds, say)
    if judgement.progress is not Progress.ARRIVED:
        raise RolloutFailed(
            f"NOT STABLE  {service.name}: {cause}, and {short(prior)} was put back but is not stable: {judgement.why}. "
            f"Look at the service's events now: aws ecs describe-services --services {service.name}"
        )
