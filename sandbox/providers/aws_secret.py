"""The resource type aws:secretsmanager/secret:Secret. In its recovery window a secret is gone, its name taken."""

import uuid
from typing import Any, Final

from sandbox.providers.aws_session import AwsSession, aws_errors, tag_changes, with_region_and_tags
from sandbox.providers.errors import PartlyCreated, ProviderError
from sandbox.providers.resource import Failure, Found, Property, ResourceType
from sandbox.values import Properties, Value

_WINDOW: Final = range(7, 31)  # days, of a recovery window


def _validate(inputs: Properties) -> list[Failure]:
    window = inputs.get("recoveryWindowInDays")
    if isinstance(window, int) and window != 0 and window not in _WINDOW:
        return [Failure("recoveryWindowInDays", f"must be 0 or between 7 and 30 days, got {window}")]
    return []


def _create_secret(session: AwsSession, inputs: Properties) -> Found:
    client = session.client("secretsmanager", inputs)
    request: dict[str, Any] = {"Name": inputs["name"], "ClientRequestToken": str(uuid.uuid4())}
    if inputs.get("description"):
        request["Description"] = inputs["description"]
    if inputs.get("kmsKeyId"):
        request["KmsKeyId"] = inputs["kmsKeyId"]
    if inputs.get("tagsAll"):
        request["Tags"] = [{"Key": key, "Value": value} for key, value in inputs["tagsAll"].items()]
    with aws_errors(f"creating Secrets Manager Secret ({inputs['name']})"):
        arn = client.create_secret(**request)["ARN"]
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
    client = session.client("secretsmanager", known)
    secret: Any = None
    with aws_errors(f"reading Secrets Manager Secret ({arn})", "ResourceNotFoundException"):
        secret = client.describe_secret(SecretId=arn)
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
            request: dict[str, Any] = {"SecretId": arn, "Description": inputs.get("description") or ""}
            if inputs.get("kmsKeyId"):
                request["KmsKeyId"] = inputs["kmsKeyId"]
            client.update_secret(**request)
        put, removed = tag_changes(old, inputs)
        if removed:
            client.untag_resource(SecretId=arn, TagKeys=removed)
        if put:
            client.tag_resource(
                SecretId=arn, Tags=[{"Key": key, "Value": value} for key, value in put.items()]
            )
    return _read_required(session, arn, inputs).state


def _delete_secret(session: AwsSession, arn: str, state: Properties) -> None:
    window = state.get("recoveryWindowInDays")
    request: dict[str, Any] = {"SecretId": arn}
    if window == 0:
        request["ForceDeleteWithoutRecovery"] = True
    else:
        request["RecoveryWindowInDays"] = window or 30
    with aws_errors(f"deleting Secrets Manager Secret ({arn})", "ResourceNotFoundException"):
        session.client("secretsmanager", state).delete_secret(**request)


SECRET: Final = ResourceType[AwsSession](
    token="aws:secretsmanager/secret:Secret",  # noqa: S106 - a type token
    properties=(
        Property("arn", output_only=True),
        Property("description"),
        Property("forceOverwriteReplicaSecret", default=False),
        Property("kmsKeyId"),
        Property("name", replaces=True),
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
    autoname="name",
    prepare=with_region_and_tags,
    validate=_validate,
)
