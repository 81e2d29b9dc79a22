"""The routing table of the Admin API 2.0: methods, resources, versions, handlers. Unlisted addresses do not exist."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sandbox.atlas import descriptions, responses
from sandbox.atlas.errors import AtlasError
from sandbox.atlas.negotiation import page
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


def _rate_limits(call: Call) -> list[dict[str, Any]]:
    """Return the sets of endpoints that share a rate limit: all are a project's, none another scope's."""
    if any(call.query.one(scope) for scope in ("orgId", "userId", "ipAddress")):
        return []
    return descriptions.rate_limits([(route.method, API + route.template) for route in ROUTES])


def rate_limits(call: Call) -> tuple[int, Any]:
    """List the sets of endpoints that share a rate limit."""
    names, paths = call.query.all("name"), call.query.all("endpointPath")
    sets = [
        each
        for each in _rate_limits(call)
        if (not names or each["endpointSetName"] in names)
        and (not paths or any(endpoint["path"] in paths for endpoint in each["endpoints"]))
    ]
    return 200, page(call.query, call.address, sets)


def rate_limit(call: Call) -> tuple[int, Any]:
    """Show one set of endpoints."""
    for each in _rate_limits(call):
        if each["endpointSetId"] == call.names["endpointSetId"]:
            return 200, each
    raise AtlasError("RESOURCE_NOT_FOUND", call.names["endpointSetId"])


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
    Route("GET", "/groups/byName/{groupName}", _FIRST, responses.get_project),
    Route("GET", _CLUSTERS, _CLUSTER, responses.list_clusters),
    Route("GET", _CLUSTERS + "/{clusterName}", _CLUSTER, responses.get_cluster),
    Route("GET", _CLUSTERS + "/{clusterName}/status", _FIRST, responses.cluster_status),
    Route("GET", _CLUSTERS + "/{clusterName}/processArgs", _CLUSTER, responses.process_args),
    Route("GET", _GROUP + "/containers", _FIRST, responses.containers),
    Route("GET", _GROUP + "/teams", _FIRST, responses.nothing),
    Route("GET", _GROUP + "/users", ("2025-02-19",), responses.nothing),
    Route("GET", _GROUP + "/limits", _FIRST, responses.limits),
    Route("GET", _GROUP + "/settings", _FIRST, responses.settings),
    Route("GET", _GROUP + "/ipAddresses", _FIRST, responses.addresses),
    Route("GET", _GROUP + "/managedSlowMs", _FIRST, responses.managed_slow_ms),
    Route(
        "GET",
        _GROUP + "/privateEndpoint/{cloudProvider}/endpointService",
        _FIRST,
        responses.endpoint_services,
    ),
    Route("GET", _GROUP + "/events", _FIRST, responses.events),
    Route("GET", _GROUP + "/dbAccessHistory/clusters/{clusterName}", _FIRST, responses.access_history),
    Route("GET", "/rateLimits", ("2025-03-12",), rate_limits),
    Route("GET", "/rateLimits/{endpointSetId}", ("2025-03-12",), rate_limit),
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
