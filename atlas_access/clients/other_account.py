"""Looking into an environment's AWS account: as ourselves in our own, as a named role in another one.

It must never take the caller's own identity in another account for an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from botocore.session import Session

from atlas_access.base import Endpoints
from atlas_access.clients.aws import AwsUnavailable, account_id, ask, client, session_by


@dataclass(frozen=True)
class AccountPlace:
    """One environment's account and service, and the ARN of the role to look as there, "" for our own account."""

    environment: str
    account: str
    region: str
    cluster: str
    service: str
    role_arn: str = ""


def session_in(place: AccountPlace, endpoints: Endpoints, purpose: str) -> Session | None:
    """A session in that account; None stands for our own credentials. Raises `AwsUnavailable`."""
    if not place.role_arn:
        found = account_id(region=place.region, endpoints=endpoints)
        if found != place.account:
            raise AwsUnavailable(
                f"looking into {place.environment}'s account {place.account}",
                f"as {found}; no role is configured (observerRole)",
            )
        return None
    return taken_on(place.role_arn, place.region, endpoints, purpose)


def taken_on(role_arn: str, region: str, endpoints: Endpoints, purpose: str) -> Session:
    """A session as a role, named by its purpose. Raises `AwsUnavailable`."""
    answer = ask(
        f"taking on {role_arn}",
        client("sts", region, endpoints).assume_role,
        RoleArn=role_arn,
        RoleSessionName=f"atlas-access-{purpose}",
    )
    return session_by(answer)


def server_time(region: str, endpoints: Endpoints) -> float:
    """AWS's own clock, Unix seconds, by the Date header of its answer. Raises `AwsUnavailable`."""
    from email.utils import parsedate_to_datetime

    what = "asking AWS for the time"
    answer = ask(what, client("sts", region, endpoints).get_caller_identity)
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        raise AwsUnavailable(what, "no date") from None
