"""What the probes ask of AWS: a secret's value at the moment of use, and what a service runs.

Every request passes the endpoints overlay, is bounded in time and retried a few times by botocore. A connection string
is returned to its caller only; it must never be logged, stored, cached or put into an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from atlas_access.base import Endpoints

if TYPE_CHECKING:  # a process that is given its connection strings asks AWS nothing
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.config import Config
    from botocore.loaders import Loader
    from botocore.session import Session

CURRENT = "AWSCURRENT"


class AwsUnavailable(Exception):
    """AWS gave no answer that can be used: what was asked, and AWS's error code, in one line without any value."""

    def __init__(self, what: str, code: str) -> None:
        self.what, self.code = what, code
        super().__init__(f"{what}: AWS answered {code}")


@dataclass(frozen=True)
class RunningRevision:
    """The task-definition revision that a service runs, whoever registered it, and its full definition."""

    arn: str
    definition: Mapping[str, Any] = field(repr=False)
    desired: int = 0
    running: int = 0
    tags: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The service's own tags."""


@cache
def _descriptions() -> Loader:
    """The AWS APIs' descriptions, read from disk once: a session of its own reads them anew for every client."""
    from botocore.loaders import create_loader

    return create_loader()


@cache
def _config(*, sandbox: bool) -> Config:
    from botocore.config import Config

    found = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
    return found.merge(Config(proxies={})) if sandbox else found


def new_session(
    *,
    aws_access_key_id: str = "",
    aws_secret_access_key: str = "",
    aws_session_token: str | None = None,
    region_name: str = "",
) -> Session:
    """Open a session by these credentials, or by the environment's.

    botocore's own: boto3 around it would be half of a process's start, and only clients are opened here.
    """
    from botocore.session import get_session

    made = get_session()
    made.register_component("data_loader", _descriptions())
    if aws_access_key_id or aws_secret_access_key or aws_session_token:
        made.set_credentials(aws_access_key_id, aws_secret_access_key, aws_session_token)
    if region_name:
        made.set_config_variable("region", region_name)
    return made


def session_by(answer: Mapping[str, Any]) -> Session:
    """Open a session by the credentials that AssumeRole answered."""
    credentials = answer["Credentials"]
    return new_session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def client(
    service: str,
    region: str,
    endpoints: Endpoints,
    *,
    session: Session | None = None,
) -> Any:
    """Open a client whose every request the overlay must permit; raises `EndpointRefused` before a byte is sent."""
    factory: Any = (session or new_session()).create_client
    made = factory(
        service,
        region_name=region,
        endpoint_url=endpoints.aws,
        config=_config(sandbox=endpoints.sandbox),
    )
    made.meta.events.register("before-send", partial(_permit, endpoints))
    return made


def read_connection_string(secret_arn: str, version_id: str, *, region: str, endpoints: Endpoints) -> str:
    """Read one version of a secret. Raises `AwsUnavailable`; the value is the caller's to drop."""
    wanted = {"SecretId": secret_arn, **({"VersionId": version_id} if version_id else {})}
    answer = ask("reading the secret", client("secretsmanager", region, endpoints).get_secret_value, **wanted)
    value = answer.get("SecretString")
    if not isinstance(value, str):
        raise AwsUnavailable("reading the secret", "no text value")
    return value


def current_version(secret_id: str, *, region: str, endpoints: Endpoints) -> str:
    """Return the id of a secret's current version without reading its value. Raises `AwsUnavailable`."""
    answer = ask(
        "describing the secret",
        client("secretsmanager", region, endpoints).describe_secret,
        SecretId=secret_id,
    )
    for version, stages in answer.get("VersionIdsToStages", {}).items():
        if CURRENT in stages:
            return str(version)
    raise AwsUnavailable("describing the secret", "no current version")


def running_revision(
    cluster: str,
    service: str,
    *,
    region: str,
    endpoints: Endpoints,
    session: Session | None = None,
) -> RunningRevision:
    """Return the revision that a service runs now. Raises `AwsUnavailable`."""
    ecs = client("ecs", region, endpoints, session=session)
    services = ask(
        "describing the service",
        ecs.describe_services,
        cluster=cluster,
        services=[service],
        include=["TAGS"],
    )["services"]
    if not services or services[0].get("status") == "INACTIVE":
        raise AwsUnavailable("describing the service", "no such active service")
    found = services[0]
    definition = _definition(ecs, found["taskDefinition"])
    counts = {name: int(found.get(f"{name}Count", 0)) for name in ("desired", "running")}
    tags = {str(tag["key"]): str(tag.get("value", "")) for tag in found.get("tags") or ()}
    return RunningRevision(arn=definition["taskDefinitionArn"], definition=definition, tags=tags, **counts)


def latest_revision(family: str, *, region: str, endpoints: Endpoints) -> RunningRevision:
    """Return the newest active revision of a family, deployed or not. Raises `AwsUnavailable`."""
    definition = _definition(client("ecs", region, endpoints), family)
    return RunningRevision(arn=definition["taskDefinitionArn"], definition=definition)


def account_id(*, region: str, endpoints: Endpoints) -> str:
    """Return the account that the credentials at hand act in. Raises `AwsUnavailable`."""
    return str(ask("asking who we are", client("sts", region, endpoints).get_caller_identity)["Account"])


def _definition(ecs: Any, name: str) -> Mapping[str, Any]:
    answer = ask(
        "describing the task definition", ecs.describe_task_definition, taskDefinition=name, include=["TAGS"]
    )
    return {**answer["taskDefinition"], **({"tags": answer["tags"]} if answer.get("tags") else {})}


def ask(what: str, call: Any, **arguments: object) -> Mapping[str, Any]:
    """Call AWS; its errors keep their code only, because their messages may quote what was asked or stored."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: Mapping[str, Any] = call(**arguments)
    except ClientError as error:
        raise AwsUnavailable(what, str(error.response.get("Error", {}).get("Code", "an error"))) from None
    except BotoCoreError as error:
        raise AwsUnavailable(what, type(error).__name__) from None
    return answer


def _permit(endpoints: Endpoints, request: AWSPreparedRequest, **_: object) -> None:
    endpoints.permit(request.url)
