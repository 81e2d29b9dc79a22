"""What a service logged while a revision was undone: the likely cause, in its own words.

Reported with the end of a failed rollout, never decided upon. Lines are redacted, and none fails a rollout.
"""

from __future__ import annotations

import time
from itertools import islice

from atlas_access.base import Endpoints
from atlas_access.clients import AwsUnavailable, Logs, log_groups, shown
from atlas_access.rollout.service import Service

WORDS = ("ERROR", "Error", "Unhandled", "not authorized")
_READ, _SHOWN = 500, 2


def errors_of(
    service: Service, revision: str, region: str, endpoints: Endpoints, seconds: float
) -> tuple[str, ...]:
    """The first few kinds of error lines of the last so many seconds; none where they cannot be read."""
    since = time.time() - seconds
    found: dict[str, None] = {}
    try:
        for group in log_groups(service.definition(revision)):
            for line in islice(Logs(group, region, endpoints).lines(WORDS, since), _READ):
                found.setdefault(shown(line))
    except AwsUnavailable:
        return tuple(found)[:_SHOWN]
    return tuple(found)[:_SHOWN]
