"""Which change of a generation is legal: one step from what the labels of the user's own secret record. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas_access.base import Generations, RotationStep
from atlas_access.manifest import Manifest

if TYPE_CHECKING:
    from atlas_access.retirement import Condition


@dataclass(frozen=True)
class Pending:
    """What the end of a rotation waits for, before this update; `over`: its login is gone already.

    `open` are the conditions that this update does not meet by itself, of a revocation those of other stacks alone.
    """

    open: tuple[Condition, ...] = ()
    over: bool = False


def refusals(
    stack: str, manifest: Manifest, generations: Generations, recorded: Mapping[str, int]
) -> Iterator[str]:
    """Every reason not to declare these generations, with the legal step.

    `recorded` is the generation of each user's current version on the stack's own cluster; a user without a secret
    there yet is not in it, and begins at any.
    """
    names = [user.name for user in manifest.users]
    for user in sorted({*generations.wanted, *filter(None, [generations.rotating])} - set(names)):
        yield f"{user} is no user of access.yaml ({', '.join(names)}): take it out of atlas-access:generations"
    for user in names:
        now = recorded.get(user)
        wanted, leaving = generations.generation(user), generations.leaving(user)
        if now is None or now == wanted or (leaving is not None and now == leaving):
            continue
        if leaving is None and wanted == now + 1:
            yield (
                f"{user}: generation {wanted} is wanted and {now} is current, but it is not the user that rotates: "
                f"atlas-access rotate {stack} {user}"
            )
        else:
            yield (
                f"{user}: generation {wanted} is wanted and {now} is current: only one step at a time. "
                f"Set it to {now}, then atlas-access rotate {stack} {user}"
            )
    moves = generations.rotating in names and generations.step not in (
        RotationStep.FINISH,
        RotationStep.ABORT,
    )
    if moves and len(names) >= manifest.user_cap:
        yield (
            f"{generations.rotating}: {len(names)} users are declared, and a rotation needs one more of the "
            f"{manifest.user_cap} that a cluster may have. Raise user_cap by a decision (rotationHeadroom in the law), "
            f"or change the password with an outage: atlas-access rotate {stack} {generations.rotating} --in-place"
        )
