"""What a proof asks of Atlas: a cluster's addresses, and whether it has applied what was changed."""

from __future__ import annotations

import time
from collections.abc import Callable

from atlas_access.base import ClusterAddresses, Endpoints
from atlas_access.clients.atlas import Atlas
from atlas_access.clients.atlas_sign_in import SignIn
from atlas_access.clients.errors import AtlasUnread
from atlas_access.clients.retry import Retry

_ASK_SECONDS = 15.0
_POLL_SECONDS = 0.2


def cluster_addresses(project: str, cluster: str, sign_in: SignIn, endpoints: Endpoints) -> ClusterAddresses:
    """The cluster's connection strings. Raises `AtlasUnread`, `EndpointRefused`."""
    with Atlas(project, sign_in, endpoints, Retry(_ASK_SECONDS)) as atlas:
        found = atlas.cluster(cluster).addresses
    if found is None or not (found.standard or found.srv or found.private_endpoints):
        raise AtlasUnread(f"cluster {cluster}", "Atlas names no address of it")
    return found


def await_applied(
    project: str, cluster: str, sign_in: SignIn, endpoints: Endpoints, left: Callable[[], float]
) -> bool:
    """Wait until the cluster has applied every change of users and roles, while `left()` (seconds) is positive.

    False when it has not, or cannot be asked: the login then decides. Raises `EndpointRefused`.
    """
    with Atlas(project, sign_in, endpoints, Retry(max(0.0, left()))) as atlas:
        while left() > 0:
            try:
                if atlas.applied(cluster):
                    return True
            except AtlasUnread:
                return False
            time.sleep(min(_POLL_SECONDS, max(0.0, left())))
    return False
