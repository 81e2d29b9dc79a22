"""The environment variables that direct a stack to the sandbox's addresses and exclude personal settings."""

import os
from dataclasses import dataclass

_LOOPBACK = "127.0.0.1,127.0.0.2,localhost,127.0.0.0/8,::1"


@dataclass(frozen=True)
class Addresses:
    """The sandbox's own servers, as URLs."""

    atlas: str
    aws: str
    control: str


def overlay(addresses: Addresses, stack: str, region: str, service_url: str) -> dict[str, str]:
    """Return the variables of a stack. Shared AWS files and instance metadata are off; loopback bypasses proxies."""
    return {
        "ATLAS_ACCESS_SANDBOX": "1",
        "ATLAS_ACCESS_ADDRESS_FORM": "standard",
        "ATLAS_ACCESS_SMOKE_URL": service_url or f"{addresses.control}/smoke/{stack}",
        "ATLAS_ACCESS_HUBSPOT_URL": f"{addresses.control}/hubspot",
        "ATLAS_ACCESS_BALANCED_URL": f"{addresses.control}/balanced/{stack}",
        "ATLAS_ACCESS_MAIL_URL": f"{addresses.control}/mail/{stack}",
        "GITHUB_API_URL": f"{addresses.control}/github",
        "AWS_ENDPOINT_URL": addresses.aws,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "MONGODB_ATLAS_BASE_URL": addresses.atlas.rstrip("/") + "/",
        "NO_PROXY": _LOOPBACK,
        "no_proxy": _LOOPBACK,
    }
