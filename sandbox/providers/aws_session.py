"""A configured aws provider: clients, account, error messages; ignores the process's environment."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.loaders import create_loader

from sandbox.engine.values import Properties
from sandbox.providers.errors import ProviderError, loopback, required

SETTINGS: Final = frozenset(
    {
        "region",
        "allowedAccountIds",
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
    }
)
"""The provider settings that mean something here."""

_CONFIG: Final = Config(
    proxies={},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=16,
    retries={"mode": "standard", "total_max_attempts": 3},
)
_LOADER: Final = create_loader()  # service models are large: they are read once for all stacks of a process


class AwsClients:
    """The clients of one stack's provider, kept over all runs: making one is slow, using one is safe in any thread."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = Lock()

    def get(self, service: str, region: str) -> Any:
        """The client of a service in a region; raises ProviderError unless its endpoint is loopback."""
        endpoint = loopback(self.environment, "AWS_ENDPOINT_URL")
        with self._lock:
            if (service, region) not in self._clients:
                make = cast("Any", self._signing().create_client)
                self._clients[service, region] = make(
                    service, region_name=region, endpoint_url=endpoint, config=_CONFIG
                )
            return self._clients[service, region]

    def _signing(self) -> botocore.session.Session:
        core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
        core.set_config_variable("config_file", os.devnull)
        core.set_config_variable("credentials_file", os.devnull)
        core.register_component("data_loader", _LOADER)
        given = self.environment
        access, secret = required(given, "AWS_ACCESS_KEY_ID"), required(given, "AWS_SECRET_ACCESS_KEY")
        core.set_credentials(access, secret, given.get("AWS_SESSION_TOKEN"))
        return core


class AwsSession:
    """What the aws tables work with: region and clients of one configured provider."""

    def __init__(self, clients: AwsClients, settings: Properties) -> None:
        self._clients = clients
        self.region: str = settings.get("region") or required(
            clients.environment, "AWS_REGION", "AWS_DEFAULT_REGION"
        )
        with aws_errors("validating provider credentials: retrieving caller identity from STS"):
            account = str(self.client("sts", {}).get_caller_identity()["Account"])
        allowed = settings.get("allowedAccountIds") or []
        # Engines pass a nested setting as JSON text or as it is.
        allowed = json.loads(allowed) if isinstance(allowed, str) else allowed
        if allowed and account not in allowed:
            raise ProviderError(f"AWS account ID not allowed: {account}")

    def client(self, service: str, properties: Properties) -> Any:
        """The client of a service, for the resource's region."""
        return self._clients.get(service, properties.get("region") or self.region)


@contextmanager
def aws_errors(doing: str, *gone: str) -> Iterator[None]:
    """Turn AWS's errors into one line that says what was being done; codes that mean `gone` end the block silently."""
    try:
        yield
    except ClientError as error:
        found = {"Code": "Unknown", "Message": "", **error.response.get("Error", {})}
        if found["Code"] in gone:
            return
        reason = f"operation error {error.operation_name}, {found['Code']}: {found['Message']}"
        raise ProviderError(f"{doing}: {reason}") from error
    except ParamValidationError as error:
        # botocore quotes the offending values, which may be secret: keep the names only.
        report = re.sub(r"value: .*?, type:", "type:", str(error))
        raise ProviderError(f"{doing}: {report}") from error
    except BotoCoreError as error:
        raise ProviderError(f"{doing}: {type(error).__name__}: {error}") from error


def with_region(session: AwsSession, properties: Properties) -> Properties:
    """The inputs with the region that the provider works in, as the real one adds it."""
    return {**properties, "region": properties.get("region") or session.region}


def with_region_and_tags(session: AwsSession, properties: Properties) -> Properties:
    """The inputs with region and with `tagsAll`, which are the resource's tags: the provider has no default ones."""
    return {**with_region(session, properties), "tagsAll": properties.get("tags") or {}}


def tag_changes(old: Properties, new: Properties) -> tuple[dict[str, str], list[str]]:
    """The tags to set and the keys to remove, from old to new `tagsAll`."""
    before, after = old.get("tagsAll") or {}, new.get("tagsAll") or {}
    return {k: v for k, v in after.items() if before.get(k) != v}, sorted(before.keys() - after.keys())
