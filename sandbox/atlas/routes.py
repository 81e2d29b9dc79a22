"""The Admin API 2.0: what answers each method of each resource, at which version. Unlisted addresses do not exist."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import unquote

from sandbox.atlas import descriptions
from sandbox.atlas.auth import Credential
from sandbox.atlas.errors import AtlasError
from sandbox.atlas.history import logins
from sandbox.atlas.models import CustomRole, DatabaseUser, NewUser, RolePatch, UserPatch, timestamp
from sandbox.atlas.negotiation import Query, page
from sandbox.atlas.project import Event, Project
from sandbox.atlas.spec import ORGANIZATION

API = "/api/atlas/v2"
_FIRST = ("2023-01-01",)
_CLUSTER = ("2024-08-05",)
_GROUP = "/groups/{groupId}"
_USERS = _GROUP + "/databaseUsers"
_ROLES = _GROUP + "/customDBRoles/roles"
_CLUSTERS = _GROUP + "/clusters"
_EARLIEST = 1199145600000
_CLUSTER_NAME = "[a-zA-Z0-9][a-zA-Z0-9-]*"
_BYTE = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_ADDRESS = rf"({_BYTE}\.){{3}}{_BYTE}|([0-9a-f]{{1,4}}:){{7}}[0-9a-f]{{1,4}}"
# Atlas has hundreds of types and adds to them: only those of users and roles are known here by name.
_EVENT_TYPE = (
    "MONGODB_(USER|ROLE)_(ADDED|UPDATED|DELETED)|MONGODB_USER_X509_CERT_(CREATED|REVOKED)"
    "|(?!MONGODB_(USER|ROLE)_)[A-Z][A-Z0-9_]*"
)


@dataclass(frozen=True)
class Call:
    """A request that is signed in, routed and allowed into its project; a cluster it names is the project's."""

    project: Project
    names: dict[str, str]
    query: Query
    body: bytes
    who: Credential
    remote: str
    address: str
    now: datetime

    def links(self, *more: str) -> list[dict[str, str]]:
        """Return the link of the resource to itself, its address extended by the segments given."""
        return [{"rel": "self", "href": "/".join((self.address, *more))}]


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


ROUTES: list[Route] = []
Answer = Callable[[Call], tuple[int, Any]]


def _route(method: str, template: str, versions: tuple[str, ...] = _FIRST) -> Callable[[Answer], Answer]:
    def listed(answer: Answer) -> Answer:
        ROUTES.append(Route(method, template, versions, answer))
        return answer

    return listed


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


def _user(call: Call, user: DatabaseUser, *more: str) -> dict[str, Any]:
    return {**user.json_object(), "links": call.links(*more)}


@_route("GET", _USERS)
def _list_users(call: Call) -> tuple[int, Any]:
    users = [_user(call, user, *user.key) for user in call.project.users]
    return 200, page(call.query, call.address, users)


@_route("POST", _USERS)
def _add_user(call: Call) -> tuple[int, Any]:
    user = call.project.add_user(NewUser.read(call.body), call.who, call.remote)
    return 201, _user(call, user, *user.key)


@_route("GET", _USERS + "/{databaseName}/{username}")
def _get_user(call: Call) -> tuple[int, Any]:
    return 200, _user(call, call.project.user(call.names["databaseName"], call.names["username"]))


@_route("PATCH", _USERS + "/{databaseName}/{username}")
def _change_user(call: Call) -> tuple[int, Any]:
    database, username = call.names["databaseName"], call.names["username"]
    patch = UserPatch.read(call.body)
    return 200, _user(call, call.project.change_user(database, username, patch, call.who, call.remote))


@_route("DELETE", _USERS + "/{databaseName}/{username}")
def _remove_user(call: Call) -> tuple[int, Any]:
    call.project.remove_user(call.names["databaseName"], call.names["username"], call.who, call.remote)
    return 204, None


@_route("GET", _ROLES)
def _list_roles(call: Call) -> tuple[int, Any]:
    return 200, [role.json_object() for role in call.project.roles]


@_route("POST", _ROLES)
def _add_role(call: Call) -> tuple[int, Any]:
    return 202, call.project.add_role(CustomRole.read(call.body), call.who, call.remote).json_object()


@_route("GET", _ROLES + "/{roleName}")
def _get_role(call: Call) -> tuple[int, Any]:
    return 200, call.project.role(call.names["roleName"]).json_object()


@_route("PATCH", _ROLES + "/{roleName}")
def _change_role(call: Call) -> tuple[int, Any]:
    patch = RolePatch.read(call.body)
    return 200, call.project.change_role(call.names["roleName"], patch, call.who, call.remote).json_object()


@_route("DELETE", _ROLES + "/{roleName}")
def _remove_role(call: Call) -> tuple[int, Any]:
    call.project.remove_role(call.names["roleName"], call.who, call.remote)
    return 204, None


@_route("GET", _GROUP)
def _get_project(call: Call) -> tuple[int, Any]:
    return 200, descriptions.group(call.project.spec, call.links())


@_route("GET", _CLUSTERS, _CLUSTER)
def _list_clusters(call: Call) -> tuple[int, Any]:
    spec = call.project.spec
    cluster = descriptions.cluster(spec, call.project.facts, call.links(spec.cluster_name))
    return 200, page(call.query, call.address, [cluster])


@_route("GET", _CLUSTERS + "/{clusterName}", _CLUSTER)
def _get_cluster(call: Call) -> tuple[int, Any]:
    return 200, descriptions.cluster(call.project.spec, call.project.facts, call.links())


@_route("GET", _CLUSTERS + "/{clusterName}/status")
def _cluster_status(call: Call) -> tuple[int, Any]:
    status = "PENDING" if call.project.propagation.pending else "APPLIED"
    return 200, {"changeStatus": status, "links": call.links()}


def _event(call: Call, event: Event, *, raw: bool) -> dict[str, Any]:
    spec = call.project.spec
    shown: dict[str, Any] = {
        "id": event.id,
        "eventTypeName": event.type,
        "created": timestamp(event.created),
        "groupId": spec.project_id,
        "orgId": ORGANIZATION,
        "isGlobalAdmin": False,
        "links": call.links(event.id),
    }
    if event.type.startswith("MONGODB_USER"):
        shown["dbUserUsername"] = event.target
    if event.actor:
        actor = (
            {"apiKeyId": event.actor_id, "publicKey": event.actor}
            if event.by_key
            else {"username": event.actor}
        )
        shown |= {**actor, "remoteAddress": event.remote}
    if raw:
        kind, _, done = event.type.removeprefix("MONGODB_").partition("_")
        shown["raw"] = {
            "_t": "NDS_AUDIT",
            "cid": spec.project_id,
            "cre": timestamp(event.created),
            "description": f"{kind.lower()} {event.target} {done.lower()}",
            "gn": spec.name,
            "id": event.id,
            "orgId": ORGANIZATION,
            "severity": "INFO",
        }
    return shown


@_route("GET", _GROUP + "/events")
def _events(call: Call) -> tuple[int, Any]:
    """Newest first. Events belong to no cluster: asked for one's, it has none."""
    raw = call.query.flag("includeRaw", default=False)
    wanted, unwanted = (call.query.matching(n, _EVENT_TYPE) for n in ("eventType", "excludedEventType"))
    of_clusters = call.query.matching("clusterNames", _CLUSTER_NAME)
    since, until = call.query.moment("minDate"), call.query.moment("maxDate")
    found = [
        event
        for event in reversed(call.project.events)
        if not of_clusters
        and (not wanted or event.type in wanted)
        and event.type not in unwanted
        and (since is None or event.created >= since)
        and (until is None or event.created <= until)
    ]
    return 200, page(call.query, call.address, [_event(call, event, raw=raw) for event in found])


@_route("GET", _GROUP + "/dbAccessHistory/clusters/{clusterName}")
def _access_history(call: Call) -> tuple[int, Any]:
    query, spec = call.query, call.project.spec
    if bool(query.one("start")) != bool(query.one("end")):
        raise AtlasError("MISSING_QUERY_PARAMETER", "end" if query.one("start") else "start")
    now = int(call.now.timestamp() * 1000)
    start = query.number("start", _EARLIEST, _EARLIEST)
    end = query.number("end", now + 60_000, _EARLIEST)
    result = query.flag("authResult", default=True) if query.one("authResult") else None
    addresses = query.matching("ipAddress", _ADDRESS)
    kept_out = {user.username for user in call.project.users if not user.reaches(spec.cluster_name)}
    found = [
        login
        for login in logins(spec.mongod_log, hidden=spec.reserved_users, kept_out=kept_out, now=call.now)
        if start <= login.moment.timestamp() * 1000 <= end
        and (result is None or login.succeeded == result)
        and (not addresses or login.address in addresses)
    ]
    newest = islice(reversed(found), query.number("nLogs", 20000, 0, 20000))
    hostname = spec.public_address.rpartition(":")[0]
    return 200, {"accessLogs": [login.json_object(spec.project_id, hostname) for login in newest]}
