"""What a service logged while a revision was undone: the likely cause, in its own words.

Told with the end of an undone rollout, never decided upon. It must never show a line unredacted, or fail a rollout.
"""

from __future__ import annotations

import time
from itertools import islice

from botocore.exceptions import BotoCoreError, ClientError

from atlas_access.base import Endpoints
from atlas_access.clients import AwsUnavailable, Logs, shown
from atlas_access.rollout.service import Service

WORDS = ("ERROR", "Error", "Unhandled", "not authorized")
_READ, _SHOWN = 500, 2


def errors_of(
    service: Service, revision: str, region: str, endpoints: Endpoints, seconds: float
) -> tuple[str, ...]:
    """The first few kinds of error lines of the last so many seconds; none where they cannot be read."""
    since = int((time.time() - seconds) * 1000)
    found: dict[str, None] = {}
    try:
        for group in sorted(_groups(service, revision)):
            for line in islice(Logs(group, region, endpoints).lines(WORDS, since), _READ):
                found.setdefault(shown(line))
    except (AwsUnavailable, ClientError, BotoCoreError):
        return tuple(found)[:_SHOWN]
    return tuple(found)[:_SHOWN]


def _groups(service: Service, revision: str) -> set[str]:
    options = [
        (each.get("logConfiguration") or {}).get("options") or {}
        for each in service.definition(revision).get("containerDefinitions", [])
    ]
    return {str(each["awslogs-group"]) for each in options if each.get("awslogs-group")}
