"""Since when a service has run without legacy bindings, by ECS's own record of its deployments.

Tags can be edited and a state can be lost; ListServiceDeployments is AWS's memory (90 days), with AWS's clock. Only
reads. A missing history is not a short one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from atlas_access.base import Endpoints, Unread
from atlas_access.clients import (
    AccountTarget,
    AwsUnavailable,
    client,
    describe_definition,
    describe_service,
    pages,
    read_or_unread,
    session_in,
    tags_of,
)
from atlas_access.retirement.bindings import LegacyNames, PastDeployment, named_in, since_binding
from atlas_access.retirement.observed import ObservedService


def observe(place: AccountTarget, legacy: LegacyNames, endpoints: Endpoints) -> ObservedService | Unread:
    """Inspect one environment's service and its past; an `Unread` where either could not be read."""
    return read_or_unread(lambda: _observe(place, legacy, endpoints), f"{place.environment}'s service")


def _observe(place: AccountTarget, legacy: LegacyNames, endpoints: Endpoints) -> ObservedService:
    ecs = client("ecs", place.region, endpoints, session=session_in(place, endpoints, "retirement"))
    service = describe_service(ecs, place.cluster, place.service)
    if service is None:
        raise AwsUnavailable("describing the service", "no such service")

    @cache
    def named(revision: str) -> tuple[str, ...]:
        return named_in(describe_definition(ecs, revision), legacy)

    running = str(service["taskDefinition"])
    found = since_binding(_past(place, ecs, named)) if not named(running) else None
    troubles = tuple(_troubles(service))
    return ObservedService(
        place.environment,
        running.rpartition("/")[2],
        None if found is None else found.since,
        0 if found is None else found.completed,
        troubles,
    )


def _past(place: AccountTarget, ecs: Any, named: Any) -> Iterator[PastDeployment]:
    """The deployments, newest first, each with its revision, read page by page as far as somebody wants them."""
    for page in pages(
        ecs.list_service_deployments, "serviceDeployments", cluster=place.cluster, service=place.service
    ):
        done = [each for each in page.get("serviceDeployments") or () if each.get("status") == "SUCCESSFUL"]
        revisions = _revisions(ecs, [str(each["targetServiceRevisionArn"]) for each in done])
        for each in done:
            revision = revisions[str(each["targetServiceRevisionArn"])]
            yield PastDeployment(revision, "SUCCESSFUL", _seconds(each), named(revision))


def _revisions(ecs: Any, arns: list[str]) -> Mapping[str, str]:
    """The task definition of each service revision; ECS describes up to 20 at once."""
    found: dict[str, str] = {}
    for start in range(0, len(arns), 20):
        answer = ecs.describe_service_revisions(serviceRevisionArns=arns[start : start + 20])
        found |= {str(e["serviceRevisionArn"]): str(e["taskDefinition"]) for e in answer["serviceRevisions"]}
    if set(found) != set(arns):
        raise AwsUnavailable("describing service revisions", "not all of them")
    return found


def _troubles(service: Mapping[str, Any]) -> Iterator[str]:
    tags = tags_of(service)
    if tags.get("atlas-access/lease-run"):
        yield "a rollout holds its lease"
    if tags.get("atlas-access/held"):
        yield "it was rolled back and is held"
    if service.get("status") != "ACTIVE":
        yield f"it is {service.get('status')}"
    deployments = service.get("deployments") or ()
    if len(deployments) != 1 or service.get("runningCount") != service.get("desiredCount"):
        yield "a deployment is under way"


def _seconds(deployment: Mapping[str, Any]) -> float:
    finished = deployment.get("finishedAt") or deployment.get("createdAt")
    if not isinstance(finished, datetime):
        raise AwsUnavailable("listing the service's deployments", "a deployment without a time")
    return finished.timestamp()
