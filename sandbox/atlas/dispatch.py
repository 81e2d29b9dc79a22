"""Handles a request: authentication, routing, project access, API versions, faults, response encoding.

Checks run in Atlas's order: 401, then 404 and 405, project access, 406 and 415, then the body. The control endpoint
under /sandbox/atlas/ is not part of Atlas.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from sandbox.atlas.auth import Credential, Keyring
from sandbox.atlas.errors import AtlasError, error_body
from sandbox.atlas.faults import Fault, Faults, PropagationOrder
from sandbox.atlas.negotiation import Query, agreed, encode, media_type
from sandbox.atlas.project import Project
from sandbox.atlas.routes import API, Call, find_route
from sandbox.chance import Chance, Kind

CONTROL = "/sandbox/atlas"
_TOKEN = "/api/oauth/token"  # noqa: S105 - an address
_JSON = "application/json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """A request as it came in; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    remote: str

    @property
    def path(self) -> str:
        """The address without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> Query:
        """The query of the address."""
        return Query(self.target.partition("?")[2])


@dataclass(frozen=True)
class Reply:
    """What goes back; `dropped` closes the connection instead."""

    status: int
    payload: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False


class Dispatcher:
    """Answers every request; holds no state of its own but the faults that wait."""

    def __init__(
        self,
        projects: Mapping[str, Project],
        keyring: Keyring,
        clock: Callable[[], datetime],
        chance: Chance | None = None,
    ) -> None:
        self.faults = Faults()
        self._chance = chance
        self.base_url = ""
        self._projects = projects
        self._keyring = keyring
        self._clock = clock

    def answer(self, request: Request) -> Reply:
        """Answer a request, whatever it is."""
        try:
            if request.path.startswith(CONTROL):
                return self._control(request)
            if request.path == _TOKEN:
                return self._with_fault(request, lambda: self._oauth(request))
            if not f"{request.path}/".startswith(f"{API}/"):
                return _refused(AtlasError("RESOURCE_NOT_FOUND", request.path))
            who = self._keyring.identify(
                request.method, request.target, request.headers.get("authorization", "")
            )
            return self._with_fault(request, lambda: self._api(request, who))
        except AtlasError as refusal:
            return _refused(refusal)
        except Exception as error:  # noqa: BLE001 - the edge of the server: a client never sees a stack trace
            _log.error("%s %s failed: %s", request.method, request.path, type(error).__name__)
            return _refused(AtlasError("UNEXPECTED_ERROR"))

    def _api(self, request: Request, who: Credential) -> Reply:
        route, names = find_route(request.method, request.path)
        project = self._project(names, who)
        if who.read_only and request.method != "GET":
            raise AtlasError("USER_UNAUTHORIZED")
        version = agreed(request.headers.get("accept", ""), route.versions, "NOT_ACCEPTABLE")
        if request.method in {"POST", "PATCH"}:
            agreed(request.headers.get("content-type", ""), route.versions, "UNSUPPORTED_MEDIA_TYPE")
        cluster = names.get("clusterName", project.spec.cluster_name)
        if cluster != project.spec.cluster_name:
            raise AtlasError("CLUSTER_NOT_FOUND", cluster, project.spec.project_id)
        project.remove_expired()
        call = Call(
            project=project,
            names=names,
            query=request.query,
            body=request.body,
            who=who,
            remote=request.remote,
            address=self.base_url + request.path,
            now=self._clock(),
        )
        status, body = route.answer(call)
        headers = {"Content-Type": f"{media_type(version)};charset=utf-8"}
        return Reply(status, b"" if body is None else encode(body), headers)

    def _project(self, names: Mapping[str, str], who: Credential) -> Project:
        group = names.get("groupId", who.project_id)
        if not re.fullmatch(r"[a-f0-9]{24}", group):
            raise AtlasError("INVALID_GROUP_ID", group)
        if group not in self._projects:
            raise AtlasError("GROUP_NOT_FOUND", group)
        if group != who.project_id:
            raise AtlasError("USER_CANNOT_ACCESS_GROUP", group)
        return self._projects[group]

    def _oauth(self, request: Request) -> Reply:
        if request.method != "POST":
            raise AtlasError("METHOD_NOT_ALLOWED", request.method, headers={"Allow": "POST"})
        try:
            form = parse_qs(request.body.decode(errors="replace"), max_num_fields=20)
        except ValueError:
            return _json(400, {"error": "invalid_request"})
        authorization = request.headers.get("authorization", "")
        status, body, headers = self._keyring.token(authorization, form.get("grant_type", [""])[0])
        return _json(status, body, headers)

    def _with_fault(self, request: Request, act: Callable[[], Reply]) -> Reply:
        fault = self.faults.take(request.method, request.path) or self._by_chance(request)
        if fault is None:
            return act()
        time.sleep(fault.delay_seconds)
        if fault.drop == "before":
            return Reply(0, dropped=True)
        if fault.status is not None and not fault.commit:
            return _injected(fault, fault.status)
        try:
            reply = act()
        except AtlasError as refusal:
            reply = _refused(refusal)
        if fault.drop == "after":
            return Reply(0, dropped=True)
        if fault.status is not None:
            return _injected(fault, fault.status)
        if fault.malformed:
            return Reply(reply.status, reply.payload[: len(reply.payload) // 2] or b"{", reply.headers)
        return reply

    def _by_chance(self, request: Request) -> Fault | None:
        """A provider's requests are only slow: it does not ask again, and an update of ours would fail for nothing."""
        trouble = self._chance.draw() if self._chance else None
        provider = "mongodbatlas" in request.headers.get("user-agent", "")
        if trouble is None:
            return None
        if trouble.kind is Kind.REFUSED and not provider:
            return Fault(status=429, error_code="RATE_LIMITED", retry_after=0)
        lost = trouble.kind is Kind.DROPPED and request.method == "GET" and not provider
        return Fault(delay_seconds=trouble.seconds, drop="after" if lost else None)

    def _control(self, request: Request) -> Reply:
        what = (request.method, request.path.removeprefix(CONTROL))
        match what:
            case ("POST", "/faults"):
                self.faults.add(Fault.read(request.body))
                return _json(201, self.faults.listing())
            case ("GET", "/faults"):
                return _json(200, self.faults.listing())
            case ("DELETE", "/faults"):
                self.faults.clear()
                return _json(200, [])
            case ("POST", "/propagation"):
                order = PropagationOrder.read(request.body)
                if order.project_id is not None and order.project_id not in self._projects:
                    raise AtlasError("GROUP_NOT_FOUND", order.project_id)
                for project_id, project in self._projects.items():
                    if order.project_id in {None, project_id}:
                        project.propagation.seconds = order.seconds
                return _json(200, self.status())
            case ("POST", "/settle"):
                settled = [project.propagation.settle() for project in self._projects.values()]
                return _json(200 if all(settled) else 503, self.status())
            case ("GET", "/status"):
                return _json(200, self.status())
        raise AtlasError("RESOURCE_NOT_FOUND", request.path)

    def status(self) -> dict[str, Any]:
        """Say per project what is pending, what the server refused and which actions nothing enforces."""
        return {
            project_id: {
                "cluster": project.spec.cluster_name,
                "users": len(project.users),
                "roles": len(project.roles),
                "pending": project.propagation.pending,
                "propagationSeconds": project.propagation.seconds,
                "refused": project.propagation.refused,
                "notEnforced": {role: list(actions) for role, actions in project.not_enforced.items()},
            }
            for project_id, project in self._projects.items()
        }


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, encode(body), {"Content-Type": _JSON, **(headers or {})})


def _refused(refusal: AtlasError) -> Reply:
    return _json(refusal.status, refusal.body(), refusal.headers)


def _injected(fault: Fault, status: int) -> Reply:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if status == 429 and fault.retry_after is None:
        headers = {"Retry-After": "1"}
    return _json(status, error_body(status, fault.error_code, "This fault was asked for."), headers)
