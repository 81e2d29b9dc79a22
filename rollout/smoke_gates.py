"""The real smoke gates behind the `Gates` that a rollout knows: the application's answers against its baseline.

What is asked and how it is judged lies in `probes.smoke` and `access`. It must never judge without a baseline, nor take
another stack's for this one's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from access.baseline import BaselineRefused, read_baseline
from access.endpoints import EndpointRefused, Endpoints
from access.gates import Gate, Standing
from access.manifest import ManifestInvalid, load_manifest
from access.settings import Settings
from access.smoke_file import SmokeInvalid, load_smoke
from probes.browser_found import MISSING, find_chromium
from probes.smoke import SmokeOrder, one_round
from probes.task_secrets import Place
from rollout.gates import Gates, Round
from rollout.plan import short


@dataclass(frozen=True)
class SmokeGates:
    """The gates of one stack, with its baseline.

    `own` is False for another environment's stack: its sign-up writes with that environment's own credentials, which
    nobody holds here, so gate 8 is left to its own rollouts; gates 1 to 7 are asked as its users ask.
    """

    order: SmokeOrder
    own: bool = True

    def refusals(self) -> tuple[str, ...]:
        """Where no browser can be driven, gate 6 stays unknown, and unknown never passes: nothing is begun.

        A baseline was only written when every gate was green, and was checked when it was read.
        """
        return () if find_chromium() else (f"{self.order.stack}: {MISSING}",)

    def round(self, revision: str, stopped: Callable[[], bool]) -> Round:
        """Every gate once, answered by that revision."""
        found = one_round(self.order, revision=short(revision), stopped=stopped)
        if self.own:
            return Round(found.failures)
        asked = {each.gate for each in found.results}
        missing = tuple(f"gate {gate.value} was not asked" for gate in Gate if gate not in asked)
        return Round(
            (
                *missing,
                *(
                    str(each)
                    for each in found.results
                    if each.gate is not Gate.WAITLIST and each.standing is not Standing.MET
                ),
            )
        )


@dataclass(frozen=True)
class UnusableGates:
    """Gates that cannot be run: they refuse, and never pass."""

    why: str

    def refusals(self) -> tuple[str, ...]:
        """Why."""
        return (self.why,)

    def round(self, revision: str, stopped: Callable[[], bool]) -> Round:  # noqa: ARG002 - the protocol's
        """Never green."""
        return Round((self.why,))


def baseline_file(stack: str, configured: str, folder: Path) -> Path:
    """Where a stack's baseline is: as configured, else with the sandbox for a sandbox, else with the program."""
    if configured:
        return folder / configured
    sandbox = os.environ.get("ATLAS_ACCESS_SANDBOX_DIR", "") if os.environ.get("ATLAS_ACCESS_SANDBOX") else ""
    return folder / Path(sandbox, "baselines", f"{stack}.json")


def smoke_gates(
    stack: str, settings: Settings, endpoints: Endpoints, folder: Path, *, own: bool = True
) -> Gates | None:
    """The gates of a stack; None where no baseline was captured. `own` is False for another stack than this run's.

    The overlay of a sandbox names this run's own address only: another stack is asked where its baseline was taken.
    """
    path = baseline_file(stack, settings.smoke_baseline, folder)
    if not settings.smoke_baseline and not path.is_file():
        return None
    try:
        smoke = load_smoke((folder / "smoke.yaml").read_bytes(), "smoke.yaml")
        manifest = load_manifest((folder / "access.yaml").read_text(encoding="utf-8"))
        baseline = read_baseline(path.read_text(encoding="utf-8"), path.name, stack=stack, smoke=smoke)
        url = settings.smoke_url
        if endpoints.sandbox:
            url = str(endpoints.smoke) if own else baseline.url
            smoke = smoke.with_prompt_logs()
        endpoints.permit(url)
    except (OSError, UnicodeDecodeError) as error:
        return UnusableGates(f"{stack}: the smoke gates cannot be run: {path.name}: {type(error).__name__}")
    except (BaselineRefused, EndpointRefused, ManifestInvalid, SmokeInvalid) as error:
        return UnusableGates(f"{stack}: the smoke gates cannot be run: {error}")
    place = Place(
        stack, settings.ecs_cluster, settings.ecs_service, settings.runtime_container, settings.aws_region
    )
    reached = endpoints if own else replace(endpoints, smoke=url)
    return SmokeGates(SmokeOrder(stack, url, smoke, place, reached, manifest.database, baseline), own)
