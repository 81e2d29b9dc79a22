"""The resource types aws:secretsmanager/secret:Secret and secretVersion:SecretVersion.

In its recovery window a secret is gone, its name taken. Deleting a version removes its labels, except AWSCURRENT.
"""

import uuid
from typing import Any, Final

from sandbox.engine.values import Properties, Value
from sandbox.providers.aws_session import (
    AwsSession,
    aws_errors,
    tag_changes,
    with_region,
    with_region_and_tags,
)
from sandbox.providers.errors import PartlyCreated, ProviderError
from sandbox.providers.resource import Failure, Found, Property, ResourceType

_WINDOW: Final = range(7, 31)  # days, of a recovery window
_MISSING: Final = "ResourceNotFoundException"
_GONE: Final = (_MISSING, "InvalidRequestException")
"""The secret's, or in its recovery window: its versions are out of reach."""


def _validate(inputs: Properties) -> list[Failure]:
    window = inputs.get("recoveryWindowInDays")
    if isinstance(window, int) and window != 0 and window not in _WINDOW:
        return [Failure("recoveryWindowInDays", f"must be 0 or between 7 and 30 days, got {window}")]
    return []


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _create_secret(session: AwsSession, inputs: Properties) -> Found:
    given = {"Description": inputs.get("description"), "KmsKeyId": inputs.get("kmsKeyId")}
    given["Tags"] = _tags(inputs.get("tagsAll") or {})
    request = {key: value for key, value in given.items() if value}
    with aws_errors(f"creating Secrets Manager Secret ({inputs['name']})"):
        arn = session.client("secretsmanager", inputs).create_secret(
            Name=inputs["name"], ClientRequestToken=str(uuid.uuid4()), **request
        )["ARN"]
    try:
        return _read_required(session, arn, inputs)
    except ProviderError as error:
        raise PartlyCreated(arn, {**inputs, "arn": arn}, str(error)) from error


def _read_required(session: AwsSession, arn: str, known: Properties) -> Found:
    found = _read_secret(session, arn, known)
    if found is None:
        raise ProviderError(f"reading Secrets Manager Secret ({arn}): couldn't find resource")
    return found


def _read_secret(session: AwsSession, arn: str, known: Properties) -> Found | None:
    secret: Any = None
    with aws_errors(f"reading Secrets Manager Secret ({arn})", _MISSING):
        secret = session.client("secretsmanager", known).describe_secret(SecretId=arn)
    if secret is None or "DeletedDate" in secret:
        return None
    tags = {tag["Key"]: tag["Value"] for tag in secret.get("Tags", [])}
    window = known.get("recoveryWindowInDays")
    state: Properties = {
        "arn": secret["ARN"],
        "name": secret["Name"],
        "namePrefix": "",
        "description": secret.get("Description") or "",
        "kmsKeyId": _same_key(secret.get("KmsKeyId") or "", known.get("kmsKeyId")),
        "forceOverwriteReplicaSecret": bool(known.get("forceOverwriteReplicaSecret")),
        "recoveryWindowInDays": 30 if window is None else window,
        "region": known.get("region") or session.region,
        "tags": tags,
        "tagsAll": tags,
    }
    return Found(secret["ARN"], state)


def _same_key(found: str, given: Value) -> str:
    """The key as it was given, when AWS answers with the bare id of the same key."""
    return given if isinstance(given, str) and found and given.endswith(f"/{found}") else found


def _update_secret(session: AwsSession, arn: str, old: Properties, inputs: Properties) -> Properties:
    client = session.client("secretsmanager", inputs)
    with aws_errors(f"updating Secrets Manager Secret ({arn})"):
        if any((old.get(name) or "") != (inputs.get(name) or "") for name in ("description", "kmsKeyId")):
            key = {"KmsKeyId": inputs["kmsKeyId"]} if inputs.get("kmsKeyId") else {}
            client.update_secret(SecretId=arn, Description=inputs.get("description") or "", **key)
        put, removed = tag_changes(old, inputs)
        if removed:
            client.untag_resource(SecretId=arn, TagKeys=removed)
        if put:
            client.tag_resource(SecretId=arn, Tags=_tags(put))
    return _read_required(session, arn, inputs).state


def _delete_secret(session: AwsSession, arn: str, state: Properties) -> None:
    window = state.get("recoveryWindowInDays")
    how = {"ForceDeleteWithoutRecovery": True} if window == 0 else {"RecoveryWindowInDays": window or 30}
    with aws_errors(f"deleting Secrets Manager Secret ({arn})", _MISSING):
        session.client("secretsmanager", state).delete_secret(SecretId=arn, **how)


def _split(identity: str) -> tuple[str, str]:
    arn, _, version = identity.rpartition("|")
    if not arn or not version:
        raise ProviderError(f"unexpected format of ID ({identity}), expected SecretID|VersionID")
    return arn, version


def _create_version(session: AwsSession, inputs: Properties) -> Found:
    with aws_errors(f"creating Secrets Manager Secret Version ({inputs['secretId']})"):
        made = session.client("secretsmanager", inputs).put_secret_value(
            SecretId=inputs["secretId"],
            ClientRequestToken=str(uuid.uuid4()),
            SecretString=inputs["secretString"],
            **({"VersionStages": inputs["versionStages"]} if inputs.get("versionStages") else {}),
        )
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
        for stage in set(held.get(version, ())) & set(state.get("versionStages") or ()) - {"AWSCURRENT"}:
            client.update_secret_version_stage(SecretId=arn, VersionStage=stage, RemoveFromVersionId=version)


SECRET: Final = ResourceType[AwsSession](
    token="aws:secretsmanager/secret:Secret",  # noqa: S106 - a type token
    properties=(
        Property("arn", output_only=True),
        Property("description"),
        Property("forceOverwriteReplicaSecret", default=False),
        Property("kmsKeyId"),
        Property("name", required=True, replaces=True),
        Property("namePrefix", output_only=True),
        Property("recoveryWindowInDays", default=30),
        Property("region", replaces=True, computed=True),
        Property("tags"),
        Property("tagsAll", computed=True),
    ),
    create=_create_secret,
    read=_read_secret,
    update=_update_secret,
    delete=_delete_secret,
    unique="name",
    prepare=with_region_and_tags,
    validate=_validate,
)
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
        Property("versionStages", computed=True),
    ),
    create=_create_version,
    read=_read_version,
    delete=_delete_version,
    prepare=with_region,
)
