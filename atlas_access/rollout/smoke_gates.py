"""The real smoke gates behind the `Gates` that a rollout knows: the application's answers against its baseline.

What is asked and how it is judged is decided in `atlas_access.smoke`. Without a baseline of this stack
nothing is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from botocore.session import Session

from atlas_access.base import EndpointRefused, Endpoints, ManifestInvalid, Settings
from atlas_access.manifest import load_manifest
from atlas_access.rollout.gates import Gates, Round, baseline_file
from atlas_access.rollout.model import short
from atlas_access.smoke import (
    MISSING,
    BaselineRefused,
    Gate,
    Place,
    SignUp,
    SmokeInvalid,
    SmokeOrder,
    Standing,
    find_chromium,
    first_answers,
    load_smoke,
    one_round,
    read_baseline,
    renewal,
)


@dataclass(frozen=True)
class SmokeGates:
    """The gates of one stack, with its baseline.

    `signs_up` is False where nobody here may read the credential that a sign-up is observed and removed with, as an
    operator has stated: gate 8 is left to that stack's own rollouts then, and the others are asked as its users ask.
    """

    order: SmokeOrder
    signs_up: bool = True

    def refusals(self) -> tuple[str, ...]:
        """Outside a sandbox, gate 6 stays unknown where no browser can be driven: nothing is begun.

        A baseline was only written when every gate was green, and was checked when it was read.
        """
        return () if self.order.endpoints.sandbox or find_chromium() else (f"{self.order.stack}: {MISSING}",)

    def round(self, revision: str, stopped: Callable[[], bool]) -> Round:
        """Every gate once, answered by that revision."""
        found = one_round(self.order, revision=short(revision), stopped=stopped, signs_up=self.signs_up)
        notes = tuple(map(str, found.not_run))
        if self.signs_up:
            return Round(found.failures, notes, unknown=found.standing is Standing.UNKNOWN)
        judged = [each for each in found.results if each.gate is not Gate.WAITLIST]
        asked = {each.gate for each in found.results}
        failures = (
            *(f"gate {gate.value} was not asked" for gate in Gate if gate not in asked),
            *(str(each) for each in judged if not each.standing.passes),
        )
        unmet = any(each.standing is Standing.UNMET for each in judged)
        return Round(failures, notes, unknown=bool(failures) and not unmet)


@dataclass
class OwnAnswers:
    """The gates of a change that gives tasks other credentials and nothing else, so that no answer may change.

    They are held to what the revision `before` answers in this run's pre-flight, not to a baseline that releases have
    made old since; what differs from that one is said. Until then, and after a crash, the baseline counts.
    """

    gates: SmokeGates
    before: str
    say: Callable[[str], None]
    _held: SmokeGates | None = None

    def refusals(self) -> tuple[str, ...]:
        """As of the gates themselves."""
        return self.gates.refusals()

    def round(self, revision: str, stopped: Callable[[], bool]) -> Round:
        """Every gate once; the first on what runs before gives the answers."""
        order = self.gates.order
        if self._held is not None or revision != self.before or order.baseline is None:
            return (self._held or self.gates).round(revision, stopped)
        found, answers = first_answers(order, stopped=stopped)
        if answers is None:
            return Round(found.failures, tuple(map(str, found.not_run)), found.standing is Standing.UNKNOWN)
        for line in renewal(order.baseline, answers, order.smoke.ignore):
            self.say(f"since the baseline of {order.baseline.captured_at[:10]}: {line}")
        self._held = replace(self.gates, order=replace(order, baseline=answers))
        return Round((), tuple(map(str, found.not_run)))


@dataclass(frozen=True)
class AnotherStack:
    """How a stack's gates are asked from another stack's rollout.

    `session` may read there what gate 8 needs (None: our own credentials, in one account); `signs_up` as above.
    """

    session: Session | None = None
    signs_up: bool = True


@dataclass(frozen=True)
class UnusableGates:
    """Gates that cannot be run: they refuse, and never pass."""

    why: str

    def refusals(self) -> tuple[str, ...]:
        """Why."""
        return (self.why,)

    def round(self, revision: str, stopped: Callable[[], bool]) -> Round:  # noqa: ARG002 - the protocol's
        """Never green."""
        return Round((self.why,), unknown=True)


def smoke_gates(
    stack: str,
    settings: Settings,
    endpoints: Endpoints,
    folder: Path,
    *,
    other: AnotherStack | None = None,
) -> Gates | None:
    """The gates of a stack; None where no baseline was captured. `other` is for another stack than this run's.

    The overlay of a sandbox names this run's own addresses only: another stack is asked where its baseline was taken.
    """
    path = baseline_file(stack, settings.smoke_baseline, folder)
    if not settings.smoke_baseline and not path.is_file():
        return None
    mail = SignUp.mail_address()
    try:
        smoke = load_smoke((folder / "smoke.yaml").read_bytes(), "smoke.yaml")
        manifest = load_manifest((folder / "access.yaml").read_text(encoding="utf-8"))
        baseline = read_baseline(path.read_text(encoding="utf-8"), path.name, stack=stack, smoke=smoke)
        url = settings.smoke_url
        if endpoints.sandbox:
            url = baseline.url if other else str(endpoints.smoke)
            smoke = smoke.with_prompt_logs()
            mail = f"{mail.rpartition('/')[0]}/{stack}" if mail else ""
        endpoints.permit(url)
    except (OSError, UnicodeDecodeError) as error:
        return UnusableGates(f"{stack}: the smoke gates cannot be run: {path.name}: {type(error).__name__}")
    except (BaselineRefused, EndpointRefused, ManifestInvalid, SmokeInvalid) as error:
        return UnusableGates(f"{stack}: the smoke gates cannot be run: {error}")
    place = Place(
        stack,
        settings.ecs_cluster,
        settings.ecs_service,
        settings.runtime_container,
        settings.aws_region,
        other.session if other else None,
    )
    reached = replace(endpoints, smoke=url) if other else endpoints
    order = SmokeOrder(
        stack, url, smoke, place, reached, manifest.database, baseline, mail, keep_browser=True
    )
    return SmokeGates(order, signs_up=other is None or other.signs_up)
