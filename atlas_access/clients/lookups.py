"""What a stack looks up before it declares anything: the key behind an alias, and a secret's ARN and version.

Metadata only: no value is ever read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atlas_access.base import Endpoints
from atlas_access.clients.aws import CURRENT, AwsUnavailable, ask, client
from atlas_access.clients.model import SeenKey


@dataclass(frozen=True)
class CurrentSecret:
    """A secret's ARN and the id of the version that carries AWSCURRENT."""

    arn: str
    version_id: str


def key_behind(alias: str, *, region: str, endpoints: Endpoints) -> SeenKey:
    """The key behind an alias such as `alias/askflorence-staging`, with its state. Raises `AwsUnavailable`."""
    found = _key(alias, region, endpoints)
    return SeenKey(str(found["Arn"]), str(found["KeyState"]))


def key_arn(alias: str, *, region: str, endpoints: Endpoints) -> str:
    """The ARN of the key behind an alias. Raises `AwsUnavailable`."""
    return str(_key(alias, region, endpoints)["Arn"])


def _key(alias: str, region: str, endpoints: Endpoints) -> Mapping[str, Any]:
    answer = ask(f"describing the key {alias}", client("kms", region, endpoints).describe_key, KeyId=alias)
    found: Mapping[str, Any] = answer["KeyMetadata"]
    return found


def current_secret(name: str, *, region: str, endpoints: Endpoints) -> CurrentSecret:
    """Where a secret is, and which version of it is current. Raises `AwsUnavailable`."""
    what = f"describing the secret {name}"
    answer = ask(what, client("secretsmanager", region, endpoints).describe_secret, SecretId=name)
    for version, stages in answer.get("VersionIdsToStages", {}).items():
        if CURRENT in stages:
            return CurrentSecret(str(answer["ARN"]), str(version))
    raise AwsUnavailable(what, "no current version")
