"""The Admin API 2.0: what answers each method of each resource, at which version. Unlisted addresses do not exist."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import unquote

from sandbox.atlas import descriptions
from sandbox.atlas.auth import Credential
from sandbox.atlas.errors import AtlasError
from sandbox.atlas.history import logins
from sandbox.atlas.models import CustomRole, DatabaseUser, NewUser, RolePatch, UserPatch, timestamp
from sandbox.atlas.negotiation import PAGING, Query, page
from sandbox.atlas.project import Event, Project
from sandbox.atlas.spec import ORGANIZATION

API = "/api/atlas/v2"
_FIRST = ("2023-01-01",)
_CLUSTER = ("2024-08-05",)
_GROUP = "/groups/{groupId}"
_USERS = _GROUP + "/databaseUsers"
_ROLES = _GROUP + "/customDBRoles/roles"
_CLUSTERS = _GROUP + "/clusters"
_USER = _USERS + "/{databaseName}/{username}"
_ROLE = _ROLES + "/{roleName}"
_EARLIEST = 1199145600000
_SECRET_DAYS = 180
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

    @property
    def user(self) -> tuple[str, str]:
        """The database and name of the user that the address names."""
        return self.names["databaseName"], self.names["username"]

    def links(self, *more: str) -> list[dict[str, str]]:
        """Return the link of the resource to itself, its address extended by the segments given."""
        return [{"rel": "self", "href": "/".join((self.address, *more))}]


@dataclass(frozen=True)
class Route:
    """A method of a resource: the template of its address, what answers it, and its versions."""

    method: str
    template: str
    answer: Callable[[Call], tuple[int, Any]]
    versions: tuple[str, ...] = _FIRST

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


def _add_user(call: Call) -> tuple[int, Any]:
    user = call.project.add_user(NewUser.read(call.body), call.who, call.remote)
    return 201, _user(call, user, *user.key)


def _change_user(call: Call) -> tuple[int, Any]:
    patch = UserPatch.read(call.body)
    return 200, _user(call, call.project.change_user(*call.user, patch, call.who, call.remote))


def _remove_user(call: Call) -> tuple[int, Any]:
    call.project.remove_user(*call.user, call.who, call.remote)
    return 204, None


def _remove_role(call: Call) -> tuple[int, Any]:
    call.project.remove_role(call.names["roleName"], call.who, call.remote)
    return 204, None


def _change_role(call: Call) -> tuple[int, Any]:
    patch = RolePatch.read(call.body)
    return 200, call.project.change_role(call.names["roleName"], patch, call.who, call.remote).json_object()


def _roles(call: Call) -> list[str]:
    return ["GROUP_READ_ONLY" if call.who.read_only else "GROUP_DATABASE_ACCESS_ADMIN"]


def _system(call: Call) -> tuple[int, Any]:
    """What an API key is shown of itself; a service account sees no key (getSystemStatus)."""
    shown: dict[str, Any] = {"appName": "MongoDB Atlas", "build": "sandbox", "throttling": False}
    if call.who.kind == "key":
        roles = [{"groupId": call.who.project_id, "roleName": role} for role in _roles(call)]
        shown["apiKey"] = {"id": call.who.id, "publicKey": call.who.name, "roles": roles}
    return 200, {**shown, "links": call.links()}


def _service_account(call: Call) -> tuple[int, Any]:
    """An account of the project; its secret is as old as this answer (getGroupServiceAccount)."""
    if call.who.kind == "key" or call.names["clientId"] != call.who.name:
        raise AtlasError("RESOURCE_NOT_FOUND", call.address)
    made, ends = (timestamp(call.now + timedelta(days=days)) for days in (0, _SECRET_DAYS))
    secret = {"id": call.who.id, "createdAt": made, "expiresAt": ends}
    return 200, {"clientId": call.who.name, "roles": _roles(call), "secrets": [secret], "links": call.links()}


def _cluster(call: Call, *more: str) -> dict[str, Any]:
    return descriptions.cluster(call.project.spec, call.project.facts, call.links(*more))


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


def _events(call: Call) -> tuple[int, Any]:
    """Newest first."""
    call.query.only("eventType", "includeRaw", *PAGING)
    raw = call.query.flag("includeRaw", default=False)
    wanted = call.query.matching("eventType", _EVENT_TYPE)
    found = [each for each in reversed(call.project.events) if not wanted or each.type in wanted]
    return 200, page(call.query, call.address, [_event(call, event, raw=raw) for event in found])


def _access_history(call: Call) -> tuple[int, Any]:
    query, spec = call.query, call.project.spec
    query.only("start", "end", "authResult", "nLogs")
    if bool(query.one("start")) != bool(query.one("end")):
        raise AtlasError("MISSING_QUERY_PARAMETER", "end" if query.one("start") else "start")
    now = int(call.now.timestamp() * 1000)
    start = query.number("start", _EARLIEST, _EARLIEST)
    end = query.number("end", now + 60_000, _EARLIEST)
    result = query.flag("authResult", default=True) if query.one("authResult") else None
    kept_out = {user.username for user in call.project.users if not user.reaches(spec.cluster_name)}
    found = [
        login
        for login in logins(spec.mongod_log, hidden=spec.reserved_users, kept_out=kept_out, now=call.now)
        if start <= login.moment.timestamp() * 1000 <= end and (result is None or login.succeeded == result)
    ]
    newest = islice(reversed(found), query.number("nLogs", 20000, 0, 20000))
    hostname = spec.public_address.rpartition(":")[0]
    return 200, {"accessLogs": [login.json_object(spec.project_id, hostname) for login in newest]}


ROUTES = (
    Route(
        "GET",
        _USERS,
        lambda c: (200, page(c.query, c.address, [_user(c, u, *u.key) for u in c.project.users])),
    ),
    Route("POST", _USERS, _add_user),
    Route("GET", _USER, lambda c: (200, _user(c, c.project.user(*c.user)))),
    Route("PATCH", _USER, _change_user),
    Route("DELETE", _USER, _remove_user),
    Route("GET", _ROLES, lambda c: (200, [role.json_object() for role in c.project.roles])),
    Route(
        "POST",
        _ROLES,
        lambda c: (202, c.project.add_role(CustomRole.read(c.body), c.who, c.remote).json_object()),
    ),
    Route("GET", _ROLE, lambda c: (200, c.project.role(c.names["roleName"]).json_object())),
    Route("PATCH", _ROLE, _change_role),
    Route("DELETE", _ROLE, _remove_role),
    Route("GET", "", _system),
    Route("GET", _GROUP + "/serviceAccounts/{clientId}", _service_account, _CLUSTER),
    Route("GET", _GROUP, lambda c: (200, descriptions.group(c.project.spec, c.links()))),
    Route(
        "GET",
        _CLUSTERS,
        lambda c: (200, page(c.query, c.address, [_cluster(c, c.project.spec.cluster_name)])),
        _CLUSTER,
    ),
    Route("GET", _CLUSTERS + "/{clusterName}", lambda c: (200, _cluster(c)), _CLUSTER),
    Route("GET", _CLUSTERS + "/{clusterName}/status", _cluster_status),
    Route("GET", _GROUP + "/events", _events),
    Route("GET", _GROUP + "/dbAccessHistory/clusters/{clusterName}", _access_history),
)
