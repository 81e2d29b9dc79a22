"""The demo's acts in order, and what may run in parallel: staging before prod, retirement last. Pure."""

from dataclasses import dataclass

from atlas_access.review import Operation
from atlas_access.rotation import Verb
from sandbox.deploy import Order

SOAK_SECONDS = 31 * 60  # A little more than the thirty minutes that a soak takes
DAY_SECONDS = 24 * 3600 + 60
"""A little more than the day for which everything is verified, and for which tombstones last."""
BUILD = "current"
TOMBSTONE, DELETE = "tombstone", "delete"  # the steps of a retirement, as the setting `retirement` names them
ROTATED = "app_write"  # the user that is rotated on staging: no other stack reads its credential
DEPLOYMENTS = 3  # how many completed deployments of the application there must be before anything is retired


@dataclass(frozen=True)
class Capture:
    """Keep what a stack's service answers now as the contract of every later gate."""

    stack: str


@dataclass(frozen=True)
class Pass:
    """Let time go by: the sandbox's clock is advanced."""

    seconds: float


@dataclass(frozen=True)
class Record:
    """Note that the local file and the code were verified, as people do: the retirement asks for it a day later."""


@dataclass(frozen=True)
class Retire:
    """One step of a stack's retirement, with its typed confirmation: `tombstone`, or a day later `delete`."""

    stack: str
    step: str


@dataclass(frozen=True)
class Releases:
    """Let the application's own pipeline deploy: the build of the new variables first, then once more and once more."""

    stack: str
    build: str = BUILD
    times: int = DEPLOYMENTS


@dataclass(frozen=True)
class Rotate:
    """One step of the rotation of a stack's user: the new credential is brought in, or the old one goes."""

    stack: str
    user: str
    verb: Verb


Step = Order | Capture | Pass | Record | Releases | Retire | Rotate


@dataclass(frozen=True)
class Act:
    """A part of the story. Lanes run in parallel; the steps of one lane run in order."""

    title: str
    lanes: tuple[tuple[Step, ...], ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step of it."""
        return tuple(step for lane in self.lanes for step in lane)


def story() -> tuple[Act, ...]:
    """The whole migration."""

    def up(stack: str, phase: str) -> Order:
        return Order(stack, Operation.UP, phase)

    return (
        Act(
            "before any change: the gates on both stacks, their answers kept as the contract",
            ((Capture("staging"), Order("staging", Operation.PREVIEW, "provision")), (Capture("prod"),)),
        ),
        Act("staging: provision", ((up("staging", "provision"),),)),
        # Prod's provision needs staging's reader connection, and nothing that staging's bind does.
        Act("staging: bind; prod: provision", ((up("staging", "bind"),), (up("prod", "provision"),))),
        Act("staging soaks: the clock is advanced by 31 minutes", ((Pass(SOAK_SECONDS),),)),
        Act("prod: bind", ((up("prod", "bind"),),)),
        Act("prod soaks: the clock is advanced by 31 minutes", ((Pass(SOAK_SECONDS),),)),
        Act(
            "the code moves to the new variables: the application's own pipeline deploys, three times; "
            f"then {ROTATED} gets a new credential on staging",
            ((Releases("staging"), Rotate("staging", ROTATED, Verb.START)), (Releases("prod"),)),
        ),
        Act("a day goes by; code and local file are recorded as verified", ((Record(), Pass(DAY_SECONDS)),)),
        # Staging's app_read_staging is what prod ran on: prod's own retirement frees it.
        Act(
            f"retire: prod's legacy users lose their roles; staging: the old credential of {ROTATED} goes",
            ((Retire("prod", TOMBSTONE),), (Rotate("staging", ROTATED, Verb.FINISH),)),
        ),
        Act("retire: staging's legacy users lose their roles", ((Retire("staging", TOMBSTONE),),)),
        Act("a day goes by, reversible by one command", ((Pass(DAY_SECONDS),),)),
        Act(
            "retire: users, roles and secrets are deleted",
            ((Retire("prod", DELETE),), (Retire("staging", DELETE),)),
        ),
    )
