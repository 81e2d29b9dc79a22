"""Looks at the environment that goes before: its service, its logs, and Atlas' record of failed logins.

Only reads, as a role of that environment's own account where it is another one. What cannot be asked is unknown; the
caller's own identity in another account is never taken for an answer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from requests.auth import HTTPDigestAuth

from atlas_access.base import Clock, EndpointRefused, Endpoints
from atlas_access.clients import AwsUnavailable, ask, client, session as http_session, taken_on
from atlas_access.rollout.service import Service, ServiceMissing
from atlas_access.rollout.soak import SoakSeen, Source, released, spike, unknown

LOGS, LOGINS = "service logs", "Atlas login failures"
PATTERN = "?ERROR ?Error ?error"
"""CloudWatch Logs filter pattern: any line with one of these words."""
_PAGES = 20
PUBLIC, PRIVATE = "ATLAS_ACCESS_SOAK_ATLAS_PUBLIC_KEY", "ATLAS_ACCESS_SOAK_ATLAS_PRIVATE_KEY"


@dataclass(frozen=True)
class Preceding:
    """The stack that goes before: where its service is, the role to look as, and its Atlas cluster.

    `logins` is False where that cluster's tier keeps no access history, as an operator has stated.
    """

    stack: str
    account: str
    region: str
    cluster: str
    service: str
    role_arn: str
    atlas_project: str
    atlas_cluster: str
    minutes: int
    logins: bool = True


def look(before: Preceding, own_account: str, endpoints: Endpoints, clock: Clock) -> SoakSeen:
    """Look at the service and, once it is bound, at its errors. Raises `AwsUnavailable`, `ServiceMissing`."""
    session = _session(before, own_account, endpoints)
    service = Service(
        client("ecs", before.region, endpoints, session=session), before.cluster, before.service
    )
    try:
        state, marks = service.look_marked()
        definition = service.definition(state.revision)
        if marks.bound is not None and marks.bound.revision != state.revision:
            marks = released(marks, state.revision, service.definition(marks.bound.revision), definition)
        seen = SoakSeen(before.stack, state, marks, clock.wall())
        since = seen.bound_since
        if since is None:
            return seen
    except ClientError as error:
        raise AwsUnavailable(f"looking at {before.stack}'s service", _code(error)) from None
    sources = [_logs(before, definition, session, endpoints, since, seen.wall)]
    if before.logins:
        sources.append(_logins(before, endpoints, since, seen.wall))
    return SoakSeen(before.stack, state, marks, seen.wall, tuple(sources))


def _session(before: Preceding, own_account: str, endpoints: Endpoints) -> Session | None:
    if not before.role_arn:
        if before.account == own_account:
            return None
        raise AwsUnavailable(
            f"looking at {before.stack}'s service in account {before.account}", "no role (set soakRole)"
        )
    return taken_on(before.role_arn, before.region, endpoints, "soak")


def _logs(
    before: Preceding,
    definition: Mapping[str, Any],
    session: Session | None,
    endpoints: Endpoints,
    since: float,
    wall: float,
) -> Source:
    groups = {
        str(options["awslogs-group"])
        for each in definition.get("containerDefinitions", [])
        if (options := (each.get("logConfiguration") or {}).get("options") or {}).get("awslogs-group")
    }
    if not groups:
        return unknown(LOGS, "its containers name no CloudWatch log group")
    logs = client("logs", before.region, endpoints, session=session)
    try:
        counts = [
            (_count(logs, group, 2 * since - wall, since), _count(logs, group, since, wall))
            for group in sorted(groups)
        ]
    except AwsUnavailable as error:
        return unknown(LOGS, str(error))
    return spike(LOGS, sum(each[0] for each in counts), sum(each[1] for each in counts))


def _count(logs: Any, group: str, start: float, end: float) -> int:
    token, found = "", 0
    for _ in range(_PAGES):
        answer = ask(
            f"reading the log group {group}",
            logs.filter_log_events,
            logGroupName=group,
            startTime=int(start * 1000),
            endTime=int(end * 1000),
            filterPattern=PATTERN,
            **({"nextToken": token} if token else {}),
        )
        found += len(answer.get("events", ()))
        token = str(answer.get("nextToken") or "")
        if not token:
            return found
    raise AwsUnavailable(f"reading the log group {group}", "more lines than can be counted")


def _logins(before: Preceding, endpoints: Endpoints, since: float, wall: float) -> Source:
    """Failed authentications by Atlas' access history (Atlas Admin API, listAccessLogsByClusterName; M10 and up)."""
    public, private = os.environ.get(PUBLIC, ""), os.environ.get(PRIVATE, "")
    if not public or not private:
        return unknown(
            LOGINS, f"no key of {before.stack}'s project ({PUBLIC} and {PRIVATE}; Project Read Only)"
        )
    try:
        during = _failed(before, endpoints, public, private, since, wall)
        earlier = _failed(before, endpoints, public, private, 2 * since - wall, since)
    except (requests.RequestException, ValueError, KeyError, EndpointRefused) as error:
        return unknown(LOGINS, f"Atlas gave no usable answer ({type(error).__name__})")
    return spike(LOGINS, earlier, during)


def _failed(
    before: Preceding, endpoints: Endpoints, public: str, private: str, start: float, end: float
) -> int:
    url = (
        f"{endpoints.atlas.rstrip('/')}/api/atlas/v2/groups/{before.atlas_project}"
        f"/dbAccessHistory/clusters/{before.atlas_cluster}"
    )
    with http_session(endpoints) as http:
        answer = http.get(
            url,
            params={
                "authResult": "false",
                "start": str(int(start * 1000)),
                "end": str(int(end * 1000)),
                "nLogs": "20000",
            },
            headers={"Accept": "application/vnd.atlas.2023-01-01+json"},
            auth=HTTPDigestAuth(public, private),
        )
    answer.raise_for_status()
    return len(answer.json()["accessLogs"])


def looked(before: Preceding, own_account: str, endpoints: Endpoints, clock: Clock) -> SoakSeen | str:
    """The look, or in one line why it could not be had."""
    try:
        return look(before, own_account, endpoints, clock)
    except (AwsUnavailable, ServiceMissing, BotoCoreError) as error:
        return f"{before.stack}: whether it is bound and has soaked is unknown: {error}"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "an error"))
