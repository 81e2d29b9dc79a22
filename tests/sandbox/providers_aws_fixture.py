"""The aws provider over a moto server, for the tests of its resource types and functions."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer
from providers_client import ProviderClient

from sandbox.providers import serve

ACCOUNT = "123456789012"
REGION = "us-east-1"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}


@pytest.fixture(scope="module", name="endpoint")
def endpoint_of_moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture(scope="module", name="port")
def port_of_provider(endpoint: str) -> Iterator[int]:
    servers = serve({**KEYS, "AWS_ENDPOINT_URL": endpoint})
    yield servers.ports["aws"]
    servers.stop()


@pytest.fixture(name="aws")
def configured_aws(port: int) -> Iterator[ProviderClient]:
    client = ProviderClient(port)
    client.configure(
        region=REGION,
        allowedAccountIds=json.dumps([ACCOUNT]),
        defaultTags=json.dumps({"tags": {"project": "atlas-access"}}),
    )
    yield client
    client.close()


def api(endpoint: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def unique(name: str) -> str:
    return f"{name}-{uuid4().hex[:8]}"
