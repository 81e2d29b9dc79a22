"""Every replay, ordered by the state in which it begins, incidents first."""

from itertools import pairwise

from sandbox.replays import (
    broken_revision,
    eng_271,
    eng_272,
    eng_279,
    legacy_back,
    not_propagated,
    other_environment,
    role_widened,
    schema_on_runtime,
    wrong_key,
)
from sandbox.replays.model import Replay, Start
from sandbox.world import SandboxError

REPLAYS: tuple[Replay, ...] = (
    not_propagated.REPLAY,
    eng_271.REPLAY,
    eng_272.REPLAY,
    eng_279.REPLAY,
    role_widened.REPLAY,
    other_environment.REPLAY,
    wrong_key.REPLAY,
    schema_on_runtime.REPLAY,
    broken_revision.REPLAY,
    legacy_back.REPLAY,
)
"""A stack only goes forward here: what begins in the legacy state comes first, what needs the new bindings last."""


def chosen(name: str) -> tuple[Replay, ...]:
    """The replay of that name, or every one for "". Raises `SandboxError` for an unknown name."""
    if not name:
        return REPLAYS
    found = tuple(each for each in REPLAYS if each.name == name)
    if not found:
        known = ", ".join(each.name for each in REPLAYS)
        raise SandboxError(f"there is no replay {name!r}: there are {known}")
    return found


def in_order(replays: tuple[Replay, ...]) -> bool:
    """Whether each replay begins in the state that the one before leaves, or in a later one."""
    states = list(Start)
    places = [(states.index(each.start), states.index(each.ends)) for each in replays]
    return all(ends <= begins for (_, ends), (begins, _) in pairwise(places))
