"""The resource type aws:secretsmanager/secretVersion:SecretVersion. Deleting removes labels, except AWSCURRENT."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from sandbox.providers.aws_session import AwsSession, aws_errors, with_region
from sandbox.providers.errors import PartlyCreated, ProviderError
from sandbox.providers.resource import Found, Property, ResourceType
from sandbox.values import Properties

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_CURRENT: Final = "AWSCURRENT"
_GONE: Final = ("ResourceNotFoundException", "InvalidRequestException")
"""The secret's, or in its recovery window: its versions are out of reach."""


def _split(identity: str) -> tuple[str, str]:
    arn, separator, version = identity.rpartition("|")
    if not separator or not arn or not version:
        raise ProviderError(f"unexpected format of ID ({identity}), expected SecretID|VersionID")
    return arn, version


def _create_version(session: AwsSession, inputs: Properties) -> Found:
    request: dict[str, Any] = {"SecretId": inputs["secretId"], "ClientRequestToken": str(uuid.uuid4())}
    request["SecretString"] = inputs["secretString"]
    if inputs.get("versionStages"):
        request["VersionStages"] = inputs["versionStages"]
    with aws_errors(f"creating Secrets Manager Secret Version ({inputs['secretId']})"):
        made = session.secrets(inputs).put_secret_value(**request)
    identity = f"{made['ARN']}|{made['VersionId']}"
    found = _read_version(session, identity, inputs)
    if found is None:
        raise PartlyCreated(
            identity, dict(inputs), f"reading Secrets Manager Secret Version ({identity}): gone"
        )
    return found


def _read_version(session: AwsSession, identity: str, known: Properties) -> Found | None:
    arn, version = _split(identity)
    value: Any = None
    with aws_errors(f"reading Secrets Manager Secret Version ({identity})", *_GONE):
        value = session.secrets(known).get_secret_value(SecretId=arn, VersionId=version)
    if value is None:
        return None
    state: Properties = {
        "arn": value["ARN"],
        "secretArn": value["ARN"],
        "secretId": known.get("secretId") or value["ARN"],
        "secretString": value.get("SecretString", ""),
        "versionId": version,
        "versionStages": sorted(value.get("VersionStages") or []),
        "hasSecretStringWo": False,
        "region": known.get("region") or session.region,
    }
    return Found(identity, state)


def _update_version(session: AwsSession, identity: str, old: Properties, inputs: Properties) -> Properties:
    arn, version = _split(identity)
    client = session.secrets(inputs)
    before, after = set(old.get("versionStages") or []), set(inputs.get("versionStages") or [])
    with aws_errors(f"updating Secrets Manager Secret Version ({identity})"):
        holders = _holders(client, arn)
        for stage in sorted(after - before):
            request: dict[str, Any] = {"SecretId": arn, "VersionStage": stage, "MoveToVersionId": version}
            if stage in holders:
                request["RemoveFromVersionId"] = holders[stage]
            client.update_secret_version_stage(**request)
        _take_off(client, arn, version, before - after - {_CURRENT})
    found = _read_version(session, identity, inputs)
    if found is None:
        raise ProviderError(f"reading Secrets Manager Secret Version ({identity}): couldn't find resource")
    return found.state


def _holders(client: SecretsManagerClient, arn: str) -> dict[str, str]:
    versions = client.describe_secret(SecretId=arn).get("VersionIdsToStages") or {}
    return {stage: version for version, stages in versions.items() for stage in stages}


def _delete_version(session: AwsSession, identity: str, state: Properties) -> None:
    arn, version = _split(identity)
    client = session.secrets(state)
    with aws_errors(f"deleting Secrets Manager Secret Version ({identity})", *_GONE):
        _take_off(client, arn, version, set(state.get("versionStages") or []) - {_CURRENT})


def _take_off(client: SecretsManagerClient, arn: str, version: str, stages: set[str]) -> None:
    """Take labels off a version, where it carries them."""
    holders = _holders(client, arn)
    for stage in sorted(stages):
        if holders.get(stage) == version:
            client.update_secret_version_stage(SecretId=arn, VersionStage=stage, RemoveFromVersionId=version)


SECRET_VERSION: Final = ResourceType[AwsSession](
    token="aws:secretsmanager/secretVersion:SecretVersion",  # noqa: S106 - a type token
    properties=(
        Property("arn", output_only=True),
        Property("hasSecretStringWo", output_only=True),
        Property("region", replaces=True, computed=True),
        Property("secretArn", output_only=True),
        Property("secretId", required=True, replaces=True),
        Property("secretString", required=True, replaces=True, secret=True),
        Property("versionId", output_only=True),
        Property("versionStages", computed=True, unordered=True),
    ),
    create=_create_version,
    read=_read_version,
    update=_update_version,
    delete=_delete_version,
    prepare=with_region,
)
