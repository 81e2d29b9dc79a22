"""Inspects the environment that goes before: its service, its logs, and Atlas' record of failed logins.

Only reads, as a role of that environment's own account where it is another one. What cannot be asked is unknown; the
caller's own identity in another account is never taken for an answer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from botocore.session import Session

from atlas_access.base import Clock, EndpointRefused, Endpoints, Settings, What
from atlas_access.clients import (
    MOST_LOGINS,
    SOAK_ACCOUNT,
    SOAK_KEY,
    Atlas,
    AtlasUnread,
    AwsUnavailable,
    CredentialsMissing,
    Logs,
    alarms_now,
    client,
    log_groups,
    role_arn,
    sign_in_from,
    taken_on,
)
from atlas_access.rollout.alarms import alarm_names
from atlas_access.rollout.service import Service, ServiceMissing
from atlas_access.rollout.soak import ObservedSoak, Source, alarmed, released, spike, unknown, windows
from atlas_access.rollout.stack import PROJECT_FOLDER

LOGS, LOGINS = "service logs", "Atlas login failures"
WORDS = ("ERROR", "Error", "error")


@dataclass(frozen=True)
class Preceding:
    """The stack that goes before: where its service is, the role to look as, and its Atlas cluster.

    `logins` is False where that cluster's tier keeps no access history, as an operator has stated. `alarms` are the
    names of those that `smoke.yaml` names for it; `own` says that its own credentials are at hand.
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
    alarms: tuple[str, ...] = ()
    own: bool = False

    @classmethod
    def of(cls, stack: str, theirs: Settings, role: str, asks: Settings, *, own: bool = False) -> Preceding:
        """A stack by its settings, inspected as a role of its account; `asks` are those that hold it to a soak.

        `own` says that the stack inspects itself.
        """
        quiet = What.NO_LOGIN_HISTORY if asks is theirs else What.SOAK_WITHOUT_LOGIN_HISTORY
        return cls(
            stack,
            theirs.aws_account_id,
            theirs.aws_region,
            theirs.ecs_cluster,
            theirs.ecs_service,
            role_arn(theirs.aws_account_id, role),
            theirs.atlas_project_id,
            theirs.atlas_cluster,
            asks.soak_minutes,
            logins=asks.acknowledged(quiet) is None,
            alarms=alarm_names(stack, PROJECT_FOLDER),
            own=own,
        )

    @classmethod
    def itself(cls, stack: str, settings: Settings) -> Preceding:
        """The stack itself, by its own settings and credentials."""
        found = cls.of(stack, settings, "", settings)
        return replace(found, own=True, logins=settings.acknowledged(What.NO_LOGIN_HISTORY) is None)


def observe(before: Preceding, own_account: str, endpoints: Endpoints, clock: Clock) -> ObservedSoak:
    """Inspect the service and, once it is bound, at its errors. Raises `AwsUnavailable`, `ServiceMissing`."""
    session = _session(before, own_account, endpoints)
    service = Service(
        client("ecs", before.region, endpoints, session=session), before.cluster, before.service
    )
    state, service_tags = service.observe_tagged()
    definition = service.definition(state.revision)
    if service_tags.bound is not None and service_tags.bound.revision != state.revision:
        service_tags = released(
            service_tags, state.revision, service.definition(service_tags.bound.revision), definition
        )
    observed = ObservedSoak(before.stack, state, service_tags, clock.wall())
    since = observed.bound_since
    if since is None:
        return observed
    sources = [_logs(before, definition, session, endpoints, since, observed.wall)]
    if before.logins:
        sources.append(_logins(before, endpoints, since, observed.wall))
    sources += map(alarmed, alarms_now(before.alarms, before.region, endpoints, session))
    return ObservedSoak(before.stack, state, service_tags, observed.wall, tuple(sources))


def _session(before: Preceding, own_account: str, endpoints: Endpoints) -> Session | None:
    if not before.role_arn:
        if before.account == own_account:
            return None
        raise AwsUnavailable(
            f"inspecting {before.stack}'s service in account {before.account}", "no role (set soakRole)"
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
    groups = log_groups(definition)
    if not groups:
        return unknown(LOGS, "its containers name no CloudWatch log group")
    logs = [Logs(group, before.region, endpoints, session) for group in groups]

    def count(start: float, end: float) -> int:
        return sum(1 for each in logs for _ in each.lines(WORDS, start, end))

    try:
        return spike(LOGS, *(count(*each) for each in windows(since, wall)))
    except AwsUnavailable as error:
        return unknown(LOGS, str(error))


def _logins(before: Preceding, endpoints: Endpoints, since: float, wall: float) -> Source:
    """Failed authentications by Atlas' access history, unknown where the list was cut."""
    try:
        sign_in = sign_in_from(os.environ, *(() if before.own else ((SOAK_ACCOUNT, SOAK_KEY),)))
    except CredentialsMissing as error:
        return unknown(LOGINS, f"no credentials for {before.stack}'s project: {error}")
    try:
        with Atlas(before.atlas_project, sign_in, endpoints) as atlas:
            counts = [_failed(atlas, before.atlas_cluster, start, end) for start, end in windows(since, wall)]
    except (AtlasUnread, EndpointRefused) as error:
        return unknown(LOGINS, str(error))
    return spike(LOGINS, *counts)


def _failed(atlas: Atlas, cluster: str, start: float, end: float) -> int:
    moments = (datetime.fromtimestamp(each, UTC) for each in (start, end))
    log = atlas.access_log(cluster, *moments, succeeded=False)
    if not log.whole:
        raise AtlasUnread(f"access history of {cluster}", f"more than {MOST_LOGINS} failed logins")
    return len(log.attempts)


def observed(before: Preceding, own_account: str, endpoints: Endpoints, clock: Clock) -> ObservedSoak | str:
    """The look, or in one line why it could not be had."""
    try:
        return observe(before, own_account, endpoints, clock)
    except (AwsUnavailable, ServiceMissing) as error:
        return f"{before.stack}: whether it is bound and has soaked is unknown: {error}"
