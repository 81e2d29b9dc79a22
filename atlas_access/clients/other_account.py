"""Looking into an environment's AWS account: as ourselves in our own, as a named role in another one.

The caller's own identity in another account is no answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from atlas_access.base import Endpoints, Settings, Unread
from atlas_access.clients.aws import account_id, client, new_session
from atlas_access.clients.errors import AwsUnavailable, read_or_unread

if TYPE_CHECKING:
    from botocore.session import Session


@dataclass(frozen=True)
class AccountTarget:
    """One environment's account and service, and the ARN of the role to look as there, "" for our own account."""

    environment: str
    account: str
    region: str
    cluster: str
    service: str
    role_arn: str = ""

    @classmethod
    def of(cls, environment: str, settings: Settings, role: str = "") -> AccountTarget:
        """Where a stack's settings say that its service is, to be inspected as a role of its account."""
        account = settings.aws_account_id
        where = (settings.aws_region, settings.ecs_cluster, settings.ecs_service)
        return cls(environment, account, *where, role_arn(account, role))


def role_arn(account: str, role: str) -> str:
    """The ARN of a role, "" where none is named."""
    return f"arn:aws:iam::{account}:role/{role}" if role else ""


def wrong_account(stack: str, account: str, region: str, endpoints: Endpoints) -> str:
    """Why the credentials at hand say nothing of a stack, "" when they act in its account. Raises `AwsUnavailable`."""
    found = account_id(region=region, endpoints=endpoints)
    return (
        "" if found == account else f"these credentials act in AWS account {found}, but {stack} is {account}"
    )


def account_unread(settings: Settings, endpoints: Endpoints) -> Unread | None:
    """The same as a part that could not be read, for a report; None where the credentials act in the account."""
    account, region = settings.aws_account_id, settings.aws_region
    why = read_or_unread(lambda: wrong_account("this stack", account, region, endpoints), "AWS account")
    return why if isinstance(why, Unread) else Unread("AWS account", why) if why else None


def session_in(place: AccountTarget, endpoints: Endpoints, purpose: str) -> Session | None:
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
    answer = client("sts", region, endpoints).assume_role(
        RoleArn=role_arn, RoleSessionName=f"atlas-access-{purpose}"
    )
    given = answer["Credentials"]
    return new_session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def server_time(region: str, endpoints: Endpoints) -> float:
    """AWS's own clock, Unix seconds, by the Date header of its answer. Raises `AwsUnavailable`."""
    answer = client("sts", region, endpoints).get_caller_identity()
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        raise AwsUnavailable("asking AWS for the time", "no date") from None
