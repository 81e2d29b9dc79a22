"""Secrets Manager and KMS: a secret's ARN, version and value, and the key behind an alias.

A value is returned to its caller only; it must never be logged, stored, cached or put into an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from atlas_access.base import Endpoints
from atlas_access.clients.aws import client, items
from atlas_access.clients.errors import AwsUnavailable
from atlas_access.clients.model import ObservedKey

CURRENT = "AWSCURRENT"
MADE_HERE = "; managed by atlas-access."
"""How the description of a secret ends that this program made."""


@dataclass(frozen=True)
class CurrentSecret:
    """A secret's ARN, the id of the version that carries AWSCURRENT, and the labels of every version that has one."""

    arn: str
    version_id: str
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredSecret:
    """A secret that is there: whether this program made it, and whether it is scheduled for deletion.

    `stages` are the labels of every version that has one.
    """

    name: str
    arn: str
    made_here: bool
    leaving: bool
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def key_behind(alias: str, *, region: str, endpoints: Endpoints) -> ObservedKey:
    """The key behind an alias such as `alias/shop-live`, with its state. Raises `AwsUnavailable`."""
    found = client("kms", region, endpoints).describe_key(KeyId=alias)["KeyMetadata"]
    return ObservedKey(str(found["Arn"]), str(found["KeyState"]))


def stages_of(about: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The labels of each version of what DescribeSecret answered; a version without labels is not in it."""
    return {
        str(version): tuple(labels) for version, labels in (about.get("VersionIdsToStages") or {}).items()
    }


def every_version(store: Any, secret: str) -> dict[str, tuple[str, ...]]:
    """The labels of each version of a secret, those without any included. Raises `AwsUnavailable`."""
    listed = items(store.list_secret_version_ids, "Versions", SecretId=secret, IncludeDeprecated=True)
    return {str(each["VersionId"]): tuple(each.get("VersionStages") or ()) for each in listed}


def current_of(about: Mapping[str, Any]) -> str:
    """The current version of what DescribeSecret answered, "" where no version is."""
    stages: Mapping[str, list[str]] = about.get("VersionIdsToStages") or {}
    return next((str(version) for version, labels in stages.items() if CURRENT in labels), "")


def current_secret(name: str, *, region: str, endpoints: Endpoints) -> CurrentSecret:
    """Where a secret is, and which version of it is current; its value is not read. Raises `AwsUnavailable`."""
    about = client("secretsmanager", region, endpoints).describe_secret(SecretId=name)
    version = current_of(about)
    if not version:
        raise AwsUnavailable(f"describing the secret {name}", "no current version")
    return CurrentSecret(str(about["ARN"]), version, stages_of(about))


def stored_secret(name: str, *, region: str, endpoints: Endpoints) -> StoredSecret | None:
    """The secret of that name, None where there is none. Raises `AwsUnavailable`."""
    try:
        about = client("secretsmanager", region, endpoints).describe_secret(SecretId=name)
    except AwsUnavailable as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    ours = str(about.get("Description", "")).endswith(MADE_HERE)
    leaving = "DeletedDate" in about
    return StoredSecret(name, str(about["ARN"]), made_here=ours, leaving=leaving, stages=stages_of(about))


def restore_secret(arn: str, *, region: str, endpoints: Endpoints) -> None:
    """Cancel a secret's deletion, while its recovery window lasts. Raises `AwsUnavailable`."""
    client("secretsmanager", region, endpoints).restore_secret(SecretId=arn)


def read_value(store: Any, secret: str, version: str = "", stage: str = "") -> str:
    """Read one version of a secret, the current one by default. Raises `AwsUnavailable`."""
    wanted = {"SecretId": secret, "VersionId": version, "VersionStage": stage}
    answer = store.get_secret_value(**{name: value for name, value in wanted.items() if value})
    value = answer.get("SecretString")
    if not isinstance(value, str):
        raise AwsUnavailable("reading the secret", "no text value")
    return value


def read_connection_string(secret_arn: str, version_id: str, *, region: str, endpoints: Endpoints) -> str:
    """Read one version of a secret. Raises `AwsUnavailable`; the value is the caller's to drop."""
    return read_value(client("secretsmanager", region, endpoints), secret_arn, version_id)
