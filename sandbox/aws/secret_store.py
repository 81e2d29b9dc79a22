"""Secrets Manager operations in which moto differs from AWS: read access, the recovery window, staging labels.

Rules: Secrets Manager API reference (GetSecretValue, CreateSecret, DeleteSecret, DescribeSecret, RestoreSecret,
PutSecretValue, UpdateSecret, UpdateSecretVersionStage, ListSecretVersionIds).
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws.grants import AwsRefusal, check_read, deleted_secret, invalid, no_such_secret
from sandbox.aws.stages import check_room, move_stage, moved_stages
from sandbox.aws.wire import Call

_SCHEDULED = "You can't create this secret because a secret with this name is already scheduled for deletion."
_NOT_OFFERED = {
    "BatchGetSecretValue": "The sandbox does not offer BatchGetSecretValue: use GetSecretValue.",
    "ReplicateSecretToRegions": "The sandbox keeps a secret in one region only.",
}
_WINDOW = (7, 30)
_DAY = 86400
_REFUSED_WHEN_DELETED = frozenset(
    {"PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage", "GetSecretValue", "RotateSecret"}
)


class SecretStore:
    """The handlers of Secrets Manager. `clock` gives Unix seconds, so that a recovery window can pass."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        # Stages are read, written by moto and laid anew: two writers of one secret must not come in between.
        self._turn = threading.Lock()

    def answer(self, call: Call) -> object | None:
        """Return a result, or None to let moto answer. Raises `AwsRefusal`."""
        with self._turn:
            return self._answer(call)

    def _answer(self, call: Call) -> object | None:
        self._forget_expired(call)
        if call.action in _NOT_OFFERED:
            raise AwsRefusal("InvalidRequestException", _NOT_OFFERED[call.action])
        handler = {
            "GetSecretValue": self._get,
            "CreateSecret": self._create,
            "DeleteSecret": self._delete,
            "DescribeSecret": self._describe,
            "PutSecretValue": self._put,
            "UpdateSecret": self._update,
            "UpdateSecretVersionStage": self._move_stage,
            "ListSecretVersionIds": self._versions,
            "RotateSecret": self._rotate,
        }.get(call.action)
        if call.action in _REFUSED_WHEN_DELETED:
            secret = _secret(call)
            if secret is not None and secret.is_deleted():
                raise deleted_secret()
        return handler(call) if handler else None

    def _get(self, call: Call) -> None:
        secret = _secret(call)
        if secret is not None:
            check_read(call.caller, secret, call.parameters.get("VersionId"))

    def _rotate(self, call: Call) -> None:
        _found(call)
        lambda_arn = call.parameters.get("RotationLambdaARN")
        raise AwsRefusal(
            "InvalidRequestException",
            "The sandbox offers no Lambda function that could rotate a secret."
            if lambda_arn
            else "No Lambda rotation function ARN is associated with this secret.",
        )

    def _create(self, call: Call) -> None:
        _has_value(call)
        if "AddReplicaRegions" in call.parameters:
            raise AwsRefusal("InvalidRequestException", _NOT_OFFERED["ReplicateSecretToRegions"])
        existing = dict.get(_backend(call).secrets, call.parameters["Name"])
        if existing is not None and existing.is_deleted():
            raise AwsRefusal("InvalidRequestException", _SCHEDULED)

    def _describe(self, call: Call) -> object:
        """A version without a label is deprecated, and left out."""
        described: dict[str, Any] = _found(call).to_dict()
        stages = described.get("VersionIdsToStages") or {}
        labelled = {version: labels for version, labels in stages.items() if labels}
        return described | ({"VersionIdsToStages": labelled} if stages else {})

    def _delete(self, call: Call) -> object:
        secret = _secret(call)
        days = call.parameters.get("RecoveryWindowInDays")
        forced = call.parameters.get("ForceDeleteWithoutRecovery", False)
        if days is not None and forced:
            raise invalid(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
            )
        if days is not None and not _WINDOW[0] <= days <= _WINDOW[1]:
            raise invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
        if secret is not None and secret.is_deleted() and not forced:
            raise deleted_secret()
        arn, name, _ = _backend(call).delete_secret(call.parameters["SecretId"], days, forced)
        due = self._clock() + (0 if forced else (days or _WINDOW[1]) * _DAY)
        if secret is not None and not forced:
            # moto stamps the end of the window by a clock of its own.
            secret.delete(due)
        return {"ARN": arn, "Name": name, "DeletionDate": due}

    def _put(self, call: Call) -> object:
        asked = call.parameters
        if not _has_value(call):
            raise AwsRefusal(
                "InvalidRequestException", "You must provide either SecretString or SecretBinary."
            )
        secret, token = _found(call), asked.get("ClientRequestToken")
        if token in secret.versions:
            _check_repeated(call, secret)
            stages = secret.versions[token]["version_stages"]
            return {"ARN": secret.arn, "Name": secret.name, "VersionId": token, "VersionStages": stages}
        first = () if secret.versions else ("AWSCURRENT",)
        stages = list(dict.fromkeys((*(asked.get("VersionStages") or ["AWSCURRENT"]), *first)))
        check_room(secret, stages)
        with moved_stages(secret, stages):
            answer = _backend(call).put_secret_value(
                secret_id=asked["SecretId"],
                secret_string=asked.get("SecretString"),
                secret_binary=asked.get("SecretBinary"),
                client_request_token=token,
                version_stages=list(stages),
            )
        return _decoded(answer)

    def _update(self, call: Call) -> object:
        asked, secret = call.parameters, _found(call)
        token = asked.get("ClientRequestToken") or str(uuid4())
        if _has_value(call) and token in secret.versions:
            raise _token_taken(secret, token)
        if _has_value(call):
            check_room(secret, ["AWSCURRENT"])
        with moved_stages(secret, ["AWSCURRENT"]):
            answer = _backend(call).update_secret(
                secret_id=asked["SecretId"],
                secret_string=asked.get("SecretString"),
                secret_binary=asked.get("SecretBinary"),
                client_request_token=token,
                kms_key_id=asked.get("KmsKeyId"),
                description=asked.get("Description"),
            )
        # moto takes an empty description for none.
        secret.description = asked.get("Description", secret.description)
        return _decoded(answer)

    def _move_stage(self, call: Call) -> object:
        asked, secret = call.parameters, _found(call)
        move_stage(
            secret, asked["VersionStage"], asked.get("RemoveFromVersionId"), asked.get("MoveToVersionId")
        )
        secret.last_changed_date = int(time.time())
        return {"ARN": secret.arn, "Name": secret.name}

    def _versions(self, call: Call) -> object:
        secret = _found(call)
        shown = call.parameters.get("IncludeDeprecated", False)
        versions = [
            {"VersionId": key, "VersionStages": v["version_stages"], "CreatedDate": v["createdate"]}
            for key, v in secret.versions.items()
            if v["version_stages"] or shown
        ]
        return {"ARN": secret.arn, "Name": secret.name, "Versions": versions}

    def _forget_expired(self, call: Call) -> None:
        secrets = _backend(call).secrets
        now = self._clock()
        for name, secret in list(dict.items(secrets)):
            if secret.is_deleted() and secret.deleted_date <= now:
                dict.pop(secrets, name, None)


def _backend(call: Call) -> Any:
    return secretsmanager_backends[call.account][call.region]


def _secret(call: Call) -> Any | None:
    identifier = call.parameters.get("SecretId")
    secrets = _backend(call).secrets
    if not isinstance(identifier, str) or identifier not in secrets:
        return None
    return secrets[identifier]


def _found(call: Call) -> Any:
    secret = _secret(call)
    if secret is None:
        raise no_such_secret()
    return secret


def _check_repeated(call: Call, secret: Any) -> None:
    """Raise `AwsRefusal` unless a request whose token names a version brings the value of that version."""
    asked = call.parameters
    version = secret.versions[asked["ClientRequestToken"]]
    kept = (version.get("secret_string"), version.get("secret_binary"))
    if kept != (asked.get("SecretString"), asked.get("SecretBinary")):
        raise _token_taken(secret, asked["ClientRequestToken"])


def _token_taken(secret: Any, token: str) -> AwsRefusal:
    return AwsRefusal(
        "ResourceExistsException",
        f"You can't use ClientRequestToken {token} because that value is already in use for a version of "
        f"secret {secret.arn}.",
    )


def _has_value(call: Call) -> bool:
    """Whether a request brings a value. Raises `AwsRefusal` for one that brings two."""
    given = [name for name in ("SecretString", "SecretBinary") if name in call.parameters]
    if len(given) > 1:
        raise invalid(
            "You can't specify both a binary secret value and a string secret value in the same secret."
        )
    return bool(given)


def _decoded(answer: str) -> object:
    decoded: object = json.loads(answer)
    return decoded
