"""Who still uses a stack's credentials: revisions that run or are scheduled, other stacks, a run that is under way.

Asked before credentials are destroyed, of every account that reads them. It must never read a secret's value, change
anything, or take what could not be asked for unused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atlas_access.base import Endpoints, Unread
from atlas_access.clients import AccountTarget, AwsUnavailable, client, session_in
from atlas_access.retirement.bindings import LegacyNames
from atlas_access.retirement.observe_bindings import observe
from atlas_access.retirement.observed import ObservedAccount
from atlas_access.rollout import ServiceMissing, ServiceTags, short


class StillConsumed(RuntimeError):
    """Credentials are not destroyed while something uses them; the message says what does, and the remedy."""


@dataclass(frozen=True)
class Elsewhere:
    """Another stack's secret that carries one of ours, and whether it is there: None when that could not be asked."""

    environment: str
    secret: str
    there: bool | None
    why: str = ""


def reasons(
    stack: str,
    service_tags: ServiceTags,
    accounts: Sequence[tuple[str, ObservedAccount | Unread]],
    elsewhere: Sequence[Elsewhere],
) -> Iterator[str]:
    """Every reason not to destroy; pure. `accounts` are inspects what names our secrets, with whose they are."""
    if service_tags.broken:
        yield f"the tags atlas-access/* on {stack}'s service make no sense ({service_tags.broken}); remove them"
    if service_tags.lease is not None:
        yield (
            f"run {service_tags.lease.run} holds a lease on {stack}'s service: wait for its end, or "
            f"atlas-access rollback {stack}"
        )
    for environment, observed in accounts:
        if isinstance(observed, Unread):
            yield f"what {environment} uses is unknown: {observed}"
            continue
        for each in observed.bound:
            if each.used_by:
                yield (
                    f"{environment}: {short(each.arn)} ({', '.join(each.used_by)}) reads {', '.join(each.names)}: "
                    f"move it off first (atlas-access rollback {environment} --to REVISION)"
                )
    for other in elsewhere:
        if other.there is None:
            yield f"whether {other.environment} still holds {other.secret} is unknown: {other.why}"
        elif other.there:
            yield (
                f"{other.environment} still holds {other.secret}, which carries {stack}'s credential: destroy it first"
            )


def refuse_while_consumed(props: Mapping[str, Any], secrets: Sequence[str]) -> None:
    """Raise `StillConsumed` while any of these secrets' credentials is used, or nobody can say that it is not."""
    from atlas_access.rollout import service_of

    endpoints = Endpoints.from_environment(os.environ)
    stack = str(props["stack"])
    try:
        service_tags = service_of(props, endpoints).observe_tagged()[1]
    except ServiceMissing:
        service_tags = ServiceTags()
    except AwsUnavailable as error:
        raise StillConsumed(_text(stack, (f"its service could not be asked: {error}",))) from None
    accounts: list[tuple[str, ObservedAccount | Unread]] = []
    elsewhere: list[Elsewhere] = []
    if props["own"]:
        own = _place(stack, "", endpoints)
        accounts.append((stack, observe(own, LegacyNames(frozenset(secrets), frozenset()), endpoints)))
    for each in json.loads(str(props["crossing"])):
        environment, secret = str(each["environment"]), str(each["secret"])
        place = _place(environment, str(props["observer_role"]), endpoints)
        found = _held(place, secret, endpoints)
        elsewhere.append(found)
        if found.there is False:
            names = LegacyNames(frozenset({secret}), frozenset())
            accounts.append((environment, observe(place, names, endpoints)))
    against = tuple(reasons(stack, service_tags, accounts, elsewhere))
    if against:
        raise StillConsumed(_text(stack, against))


def _held(place: AccountTarget, secret: str, endpoints: Endpoints) -> Elsewhere:
    try:
        session = session_in(place, endpoints, "consumers")
        store = client("secretsmanager", place.region, endpoints, session=session)
        answer = store.describe_secret(SecretId=secret)
    except AwsUnavailable as error:
        if error.code == "ResourceNotFoundException":
            return Elsewhere(place.environment, secret, there=False)
        return Elsewhere(place.environment, secret, there=None, why=str(error))
    return Elsewhere(place.environment, secret, there=not answer.get("DeletedDate"))


def _place(environment: str, role: str, endpoints: Endpoints) -> AccountTarget:
    from atlas_access.rollout import settings_of

    return AccountTarget.of(environment, settings_of(environment, endpoints), role)


def _text(stack: str, against: Sequence[str]) -> str:
    count = "1 reason" if len(against) == 1 else f"{len(against)} reasons"
    lines = [
        f"NOT DESTROYED  {stack}: its credentials are still used, {count}.",
        *(f"  {each}" for each in against),
    ]
    return "\n".join(lines)
