"""The routing table of the Admin API 2.0: methods, resources, versions, handlers. Unlisted addresses do not exist."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sandbox.atlas import responses
from sandbox.atlas.errors import AtlasError
from sandbox.atlas.responses import Call

API = "/api/atlas/v2"
_FIRST = ("2023-01-01",)
_CLUSTER = ("2024-08-05",)


@dataclass(frozen=True)
class Route:
    """A method of a resource: the template of its address, its versions, and what answers it."""

    method: str
    template: str
    versions: tuple[str, ...]
    answer: Callable[[Call], tuple[int, Any]]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the names in a path when it has this template's form."""
        wanted, given = self.template.split("/"), path.removeprefix(API).split("/")
        if len(wanted) != len(given):
            return None
        names: dict[str, str] = {}
        for want, have in zip(wanted, given, strict=True):
            if want.startswith("{") and have:
                names[want.strip("{}")] = unquote(have)
            elif want != have:
                return None
        return names


_GROUP = "/groups/{groupId}"
_USERS = _GROUP + "/databaseUsers"
_ROLES = _GROUP + "/customDBRoles/roles"
_CLUSTERS = _GROUP + "/clusters"

ROUTES: tuple[Route, ...] = (
    Route("GET", _USERS, _FIRST, responses.list_users),
    Route("POST", _USERS, _FIRST, responses.add_user),
    Route("GET", _USERS + "/{databaseName}/{username}", _FIRST, responses.get_user),
    Route("PATCH", _USERS + "/{databaseName}/{username}", _FIRST, responses.change_user),
    Route("DELETE", _USERS + "/{databaseName}/{username}", _FIRST, responses.remove_user),
    Route("GET", _ROLES, _FIRST, responses.list_roles),
    Route("POST", _ROLES, _FIRST, responses.add_role),
    Route("GET", _ROLES + "/{roleName}", _FIRST, responses.get_role),
    Route("PATCH", _ROLES + "/{roleName}", _FIRST, responses.change_role),
    Route("DELETE", _ROLES + "/{roleName}", _FIRST, responses.remove_role),
    Route("GET", _GROUP, _FIRST, responses.get_project),
    Route("GET", _CLUSTERS, _CLUSTER, responses.list_clusters),
    Route("GET", _CLUSTERS + "/{clusterName}", _CLUSTER, responses.get_cluster),
    Route("GET", _CLUSTERS + "/{clusterName}/status", _FIRST, responses.cluster_status),
    Route("GET", _GROUP + "/events", _FIRST, responses.events),
    Route("GET", _GROUP + "/dbAccessHistory/clusters/{clusterName}", _FIRST, responses.access_history),
)


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Return the route and the names in its path; raises `AtlasError` 404 or 405."""
    matching = [(route, names) for route in ROUTES if (names := route.match(path)) is not None]
    for route, names in matching:
        if route.method == method:
            return route, names
    if matching:
        allowed = ", ".join(sorted({route.method for route, _ in matching}))
        raise AtlasError("METHOD_NOT_ALLOWED", method, headers={"Allow": allowed})
    raise AtlasError("RESOURCE_NOT_FOUND", path)
