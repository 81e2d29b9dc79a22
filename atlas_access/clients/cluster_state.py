"""What a proof asks of the Atlas Admin API: a cluster's addresses, and whether it has applied what was changed.

Source: Atlas Administration API 2.0, clusters and `clusters/{name}/status` (PENDING, APPLIED). It must never change
anything, wait past its limit, or turn an answer that did not come into one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from atlas_access.base import ClusterAddresses, EndpointRefused, Endpoints, PrivateEndpoint
from atlas_access.clients.atlas_sign_in import SignIn
from atlas_access.clients.http import session
from atlas_access.clients.retry import Patience, Unanswered

_V_CLUSTER = "application/vnd.atlas.2024-08-05+json"
_V_STATUS = "application/vnd.atlas.2023-01-01+json"
_POLL_SECONDS = 0.2
_ASK_SECONDS = 15.0
APPLIED = "APPLIED"


def cluster_addresses(
    project: str, cluster: str, sign_in: SignIn, endpoints: Endpoints
) -> ClusterAddresses | None:
    """The cluster's connection strings, None when Atlas gives no usable answer. Raises `EndpointRefused`."""
    answer = _ask(
        project, f"clusters/{quote(cluster, safe='')}", _V_CLUSTER, sign_in, endpoints, _ASK_SECONDS
    )
    strings = answer.get("connectionStrings") if answer else None
    if not isinstance(strings, dict):
        return None
    private = strings.get("privateEndpoint")
    return ClusterAddresses(
        cluster=cluster,
        standard=_text(strings, "standard"),
        srv=_text(strings, "standardSrv"),
        private_endpoints=tuple(
            PrivateEndpoint(_text(each, "connectionString"), _text(each, "srvConnectionString"))
            for each in (private if isinstance(private, list) else ())
            if isinstance(each, dict)
        ),
    )


def await_applied(
    project: str, cluster: str, sign_in: SignIn, endpoints: Endpoints, left: Callable[[], float]
) -> bool:
    """Wait until the cluster has applied every change of users and roles, while `left()` (seconds) is positive.

    False when it has not, or cannot be asked: the login then decides. Raises `EndpointRefused`.
    """
    path = f"clusters/{quote(cluster, safe='')}/status"
    while (remaining := left()) > 0:
        answer = _ask(project, path, _V_STATUS, sign_in, endpoints, min(_ASK_SECONDS, remaining))
        if answer is None:
            return False
        if answer.get("changeStatus") == APPLIED:
            return True
        time.sleep(min(_POLL_SECONDS, max(0.0, left())))
    return False


def _ask(
    project: str, path: str, accept: str, sign_in: SignIn, endpoints: Endpoints, seconds: float
) -> dict[str, Any] | None:
    patience = Patience(seconds)
    url = f"{endpoints.atlas.rstrip('/')}/api/atlas/v2/groups/{quote(project, safe='')}/{path}"
    with session(endpoints) as opened:
        auth = sign_in.auth(opened, endpoints, patience)
        try:
            reply = patience.ask(opened, "GET", url, repeat=True, headers={"Accept": accept}, auth=auth)
            answer = json.loads(reply.text) if reply.status == 200 else None
        except EndpointRefused:
            raise
        except (Unanswered, ValueError, RecursionError):
            return None
    return answer if isinstance(answer, dict) else None


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""
