"""AWS: sessions, and clients whose every call is permitted, bounded in time, logged, and fails with `AwsUnavailable`.

botocore retries each request a few times and reads lists page by page. No other module catches botocore's errors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from atlas_access.base import Endpoints
from atlas_access.clients.calls import log_call
from atlas_access.clients.errors import AwsUnavailable

if TYPE_CHECKING:  # a process that is given its connection strings asks AWS nothing
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.config import Config
    from botocore.loaders import Loader
    from botocore.session import Session

_MOST_PAGES = 1000
_SUBJECTS = ("SecretId", "taskDefinition", "logGroupName", "RoleArn", "KeyId")
"""The arguments that name what a call is about, for its log line and its error."""


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


class AwsApi:
    """A client of one AWS service, with botocore's methods; each raises `AwsUnavailable` where botocore raises."""

    def __init__(self, service: str, made: Any) -> None:
        self._service, self._made = service, made

    def __getattr__(self, name: str) -> Any:
        """An operation by botocore's name of it, or any other attribute of botocore's client."""
        found = getattr(self.__dict__["_made"], name)
        operation = self._made.meta.method_to_api_mapping.get(name)
        return partial(_call, f"{self._service}:{operation}", found) if operation else found


def _call(operation: str, method: Callable[..., Any], **arguments: object) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    operation += next((f" {arguments[name]}" for name in _SUBJECTS if arguments.get(name)), "")
    started, outcome = time.perf_counter(), "done"
    try:
        return method(**arguments)
    except ClientError as error:
        about = error.response.get("Error", {})
        outcome = str(about.get("Code", "an error"))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        raise AwsUnavailable(operation, outcome, str(about.get("Message", "")), status=status) from None
    except BotoCoreError as error:
        outcome = type(error).__name__
        raise AwsUnavailable(operation, outcome) from None
    finally:
        log_call("AWS", operation, started, outcome)


def client(service: str, region: str, endpoints: Endpoints, *, session: Session | None = None) -> Any:
    """Open a client whose every request the overlay must permit; raises `EndpointRefused` before a byte is sent."""
    factory: Any = (session or new_session()).create_client
    made = factory(
        service,
        region_name=region,
        endpoint_url=endpoints.aws,
        config=_config(sandbox=endpoints.sandbox),
    )
    made.meta.events.register("before-send", partial(_permit, endpoints))
    return AwsApi(service, made)


def pages(
    call: Callable[..., Any], key: str, most: int = _MOST_PAGES, **arguments: Any
) -> Iterator[Mapping[str, Any]]:
    """Every page of a list operation, read by botocore's paginator; `key` is the member that holds the items.

    An AWS API writes all its members in one case, so that the case of `key` is that of its token. Raises
    `AwsUnavailable`, also when there are more pages than `most`, or a token comes twice.
    """
    from botocore.exceptions import PaginationError
    from botocore.paginate import Paginator

    token = "NextToken" if key[0].isupper() else "nextToken"
    paginator: Any = Paginator  # its annotations name neither what it calls nor that it needs no model
    names = {"input_token": token, "output_token": token, "result_key": key}
    try:
        for number, page in enumerate(paginator(call, names, None).paginate(**arguments)):
            if number >= most:
                raise AwsUnavailable(f"listing {key}", "more pages than are read")
            yield page
    except PaginationError:
        raise AwsUnavailable(f"listing {key}", "the same page again") from None


def items(call: Callable[..., Any], key: str, **arguments: Any) -> Iterator[Any]:
    """Every item of a list operation, page by page as far as they are wanted. Raises `AwsUnavailable`."""
    for page in pages(call, key, **arguments):
        yield from page.get(key) or ()


def account_id(*, region: str, endpoints: Endpoints) -> str:
    """Return the account that the credentials at hand act in. Raises `AwsUnavailable`."""
    return str(client("sts", region, endpoints).get_caller_identity()["Account"])


def caller_arn(*, region: str, endpoints: Endpoints) -> str:
    """Return whose credentials are at hand. Raises `AwsUnavailable`."""
    return str(client("sts", region, endpoints).get_caller_identity()["Arn"])


def _permit(endpoints: Endpoints, request: AWSPreparedRequest, **_: object) -> None:
    endpoints.permit(request.url)
