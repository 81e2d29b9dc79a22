"""How many requests failed at a service's balanced address, where somebody counts: the sandbox's balancer does.

The counts of an Application Load Balancer reach CloudWatch minutes later, too late for the end of a rollout: there the
answer is unknown, never 0. It does not raise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import requests

from atlas_access.base import EndpointRefused, Endpoints
from atlas_access.clients.http import session

VARIABLE = "ATLAS_ACCESS_BALANCED_URL"
_SECONDS = (2.0, 5.0)


def failed_requests(
    seconds: float, endpoints: Endpoints, environment: Mapping[str, str] = os.environ
) -> int | None:
    """Requests answered with 5xx in the last so many seconds; None where nobody counts."""
    url = environment.get(VARIABLE, "").strip()
    if not url or not endpoints.sandbox:
        return None
    try:
        with session(endpoints) as http:
            answer = http.get(url, params={"seconds": f"{max(0.0, seconds):.3f}"}, timeout=_SECONDS)
        found = json.loads(answer.text)["failed"] if answer.status_code == requests.codes.ok else None
    except (requests.RequestException, EndpointRefused, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) and not isinstance(found, bool) else None
