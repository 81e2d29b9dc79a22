"""The story that the demo plays: the acts of the migration in their order, and what may happen side by side.

Pure. It must never let prod move before staging has, or a credential be retired before everything that reads it has
moved away.
"""

from dataclasses import dataclass, field

from reports.deployment import Operation
from sandbox.deploy import Order

SOAK_SECONDS = 31 * 60
"""A little more than the thirty minutes that a soak takes."""
RETIREMENT_SECONDS = 24 * 3600 + 60
BUILD = "current"
DEPLOYMENTS = 3
"""How many completed deployments of the application there must be before anything is retired."""

_UNGATED = {"allowUngatedRollout": "true"}


@dataclass(frozen=True)
class Capture:
    """Keep what a stack's service answers now as the contract of every later gate."""

    stack: str


@dataclass(frozen=True)
class Pass:
    """Let time go by: the sandbox's clock is advanced."""

    seconds: float


@dataclass(frozen=True)
class Releases:
    """Let the application's own pipeline deploy: the build of the new variables first, then once more and once more."""

    stack: str
    build: str = BUILD
    times: int = DEPLOYMENTS


Step = Order | Capture | Pass | Releases


@dataclass(frozen=True)
class Act:
    """A part of the story. Its lanes go on side by side; what stands in one lane happens in its order."""

    title: str
    lanes: tuple[tuple[Step, ...], ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step of it."""
        return tuple(step for lane in self.lanes for step in lane)


@dataclass(frozen=True)
class Story:
    """All acts. Without `gated`, no gate can be run here, and what follows from that is said in `notes`."""

    acts: tuple[Act, ...]
    notes: tuple[str, ...] = field(default=())


def story(*, gated: bool, why_not: str = "") -> Story:
    """The whole migration; `why_not` says why the gates cannot be run where they cannot."""
    settings = {} if gated else _UNGATED
    preview = Order("staging", Operation.PREVIEW, "provision")

    def up(stack: str, phase: str) -> Order:
        return Order(stack, Operation.UP, phase, settings={} if phase == "provision" else settings)

    opening = (
        Act(
            "before any change: the gates on both stacks, their answers kept as the contract",
            ((Capture("staging"),), (Capture("prod"),), (preview,)),
        )
        if gated
        else Act("before any change: the plan for staging", ((preview,),))
    )
    acts = (
        opening,
        Act("staging: provision", ((up("staging", "provision"),),)),
        # Prod's provision needs staging's reader connection, and nothing that staging's bind does.
        Act("staging: bind; prod: provision", ((up("staging", "bind"),), (up("prod", "provision"),))),
        Act("staging soaks: the clock is advanced by 31 minutes", ((Pass(SOAK_SECONDS),),)),
        Act("prod: bind", ((up("prod", "bind"),),)),
        Act("prod soaks: the clock is advanced by 31 minutes", ((Pass(SOAK_SECONDS),),)),
        Act(
            "the code moves to the new variables: the application's own pipeline deploys, three times",
            ((Releases("staging"),), (Releases("prod"),)),
        ),
    )
    return Story(acts, () if gated else (_not_run(why_not),))


def _not_run(why: str) -> str:
    return (
        f"The smoke gates were NOT RUN: {why}. A rollout relies on all eight or on none, so each swap here was "
        "watched by ECS and by the load's answers alone. Outside the sandbox it would have been refused."
    )
