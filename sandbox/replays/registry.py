"""Every replay, ordered by the state in which it begins, incidents first."""

from sandbox.replays import broken_revision, credentials, incidents, legacy_back, not_propagated
from sandbox.replays.model import Replay
from sandbox.world import SandboxError

REPLAYS: tuple[Replay, ...] = (
    not_propagated.REPLAY,
    *(incidents.ENG_271, incidents.ENG_272, incidents.ENG_279),
    *(
        credentials.ROLE_WIDENED,
        credentials.OTHER_ENVIRONMENT,
        credentials.WRONG_KEY,
        credentials.SCHEMA_ON_RUNTIME,
    ),
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
