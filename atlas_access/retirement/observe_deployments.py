"""Since when a service has run without legacy bindings, by ECS's own record of its deployments.

Tags can be edited and a state can be lost; ListServiceDeployments is AWS's memory (90 days), with AWS's clock. Only
reads. It must never take a missing history for a short one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from atlas_access.base import Endpoints, Unread
from atlas_access.clients import AccountPlace, AwsUnavailable, ask, client, session_in
from atlas_access.retirement.bindings import LegacyNames, PastDeployment, named_in, since_binding
from atlas_access.retirement.observed import SeenService

_PAGES = 50


def look(place: AccountPlace, legacy: LegacyNames, endpoints: Endpoints) -> SeenService | Unread:
    """Look at one environment's service and its past; an `Unread` where either could not be read."""
    try:
        session = session_in(place, endpoints, "retirement")
        ecs = client("ecs", place.region, endpoints, session=session)
        return _look(place, legacy, ecs)
    except AwsUnavailable as error:
        return Unread(f"{place.environment}'s service", str(error))


def _look(place: AccountPlace, legacy: LegacyNames, ecs: Any) -> SeenService:
    services = ask(
        "describing the service",
        ecs.describe_services,
        cluster=place.cluster,
        services=[place.service],
        include=["TAGS"],
    )["services"]
    if not services:
        raise AwsUnavailable("describing the service", "no such service")
    service = services[0]

    @cache
    def named(revision: str) -> tuple[str, ...]:
        answer = ask("describing a revision", ecs.describe_task_definition, taskDefinition=revision)
        return named_in(answer["taskDefinition"], legacy)

    running = str(service["taskDefinition"])
    found = since_binding(_past(place, ecs, named)) if not named(running) else None
    troubles = tuple(_troubles(service))
    return SeenService(
        place.environment,
        running.rpartition("/")[2],
        None if found is None else found.since,
        0 if found is None else found.completed,
        troubles,
    )


def _past(place: AccountPlace, ecs: Any, named: Any) -> Iterator[PastDeployment]:
    """The deployments, newest first, each with its revision, read page by page as far as somebody wants them."""
    token = ""
    for _ in range(_PAGES):
        answer = ask(
            "listing the service's deployments",
            ecs.list_service_deployments,
            cluster=place.cluster,
            service=place.service,
            **({"nextToken": token} if token else {}),
        )
        page = [each for each in answer.get("serviceDeployments") or () if each.get("status") == "SUCCESSFUL"]
        revisions = _revisions(ecs, [str(each["targetServiceRevisionArn"]) for each in page])
        for each in page:
            revision = revisions[str(each["targetServiceRevisionArn"])]
            yield PastDeployment(revision, "SUCCESSFUL", _seconds(each), named(revision))
        token = str(answer.get("nextToken") or "")
        if not token:
            return
    raise AwsUnavailable("listing the service's deployments", "more than can be read")


def _revisions(ecs: Any, arns: list[str]) -> Mapping[str, str]:
    """The task definition of each service revision; ECS describes up to 20 at once."""
    found: dict[str, str] = {}
    for start in range(0, len(arns), 20):
        batch = arns[start : start + 20]
        answer = ask(
            "describing service revisions", ecs.describe_service_revisions, serviceRevisionArns=batch
        )
        found |= {str(e["serviceRevisionArn"]): str(e["taskDefinition"]) for e in answer["serviceRevisions"]}
    if set(found) != set(arns):
        raise AwsUnavailable("describing service revisions", "not all of them")
    return found


def _troubles(service: Mapping[str, Any]) -> Iterator[str]:
    tags = {str(tag["key"]): str(tag.get("value", "")) for tag in service.get("tags") or ()}
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
