"""The resource type aws:secretsmanager/secretVersion:SecretVersion. Deleting removes labels, except AWSCURRENT."""

import uuid
from typing import Any, Final

from sandbox.providers.aws_session import AwsSession, aws_errors, with_region
from sandbox.providers.errors import PartlyCreated, ProviderError
from sandbox.providers.resource import Found, Property, ResourceType
from sandbox.values import Properties

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
    with aws_errors(f"creating Secrets Manager Secret Version ({inputs['secretId']})"):
        made = session.client("secretsmanager", inputs).put_secret_value(**request)
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
        value = session.client("secretsmanager", known).get_secret_value(SecretId=arn, VersionId=version)
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


def _delete_version(session: AwsSession, identity: str, state: Properties) -> None:
    """Take the version's labels off, where it still carries them."""
    arn, version = _split(identity)
    client = session.client("secretsmanager", state)
    with aws_errors(f"deleting Secrets Manager Secret Version ({identity})", *_GONE):
        held = client.describe_secret(SecretId=arn).get("VersionIdsToStages") or {}
        for stage in set(held.get(version, ())) & set(state.get("versionStages") or ()) - {_CURRENT}:
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
        Property("versionStages", output_only=True),
    ),
    create=_create_version,
    read=_read_version,
    update=None,
    delete=_delete_version,
    prepare=with_region,
)
