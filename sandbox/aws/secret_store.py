"""Secrets Manager where moto differs from AWS: who may read, the recovery window, and stages that stay.

Rules: Secrets Manager API reference (GetSecretValue, CreateSecret, DeleteSecret, RestoreSecret, PutSecretValue,
ListSecretVersionIds). It must never log a value, nor show a deleted secret's value to anyone.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws.grants import AwsRefusal, check_read
from sandbox.aws.wire import Call

_MARKED = "You can't perform this operation on the secret because it was marked for deletion."
_SCHEDULED = "You can't create this secret because a secret with this name is already scheduled for deletion."
_WINDOW = (7, 30)
_RESERVED = {"AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"}
_REFUSED_WHEN_DELETED = frozenset(
    {"PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage", "GetSecretValue", "RotateSecret"}
)


class SecretStore:
    """The handlers of Secrets Manager. `clock` gives Unix seconds, so that a recovery window can pass."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Take the clock."""
        self._clock = clock

    def answer(self, call: Call) -> object | None:
        """Return a result, or None to let moto answer. Raises `AwsRefusal`."""
        self._forget_expired(call)
        if call.action in _REFUSED_WHEN_DELETED:
            secret = _secret(call)
            if secret is not None and secret.is_deleted():
                raise AwsRefusal("InvalidRequestException", _MARKED)
        handler = {
            "GetSecretValue": self._get,
            "BatchGetSecretValue": self._batch_get,
            "CreateSecret": self._create,
            "DeleteSecret": self._delete,
            "PutSecretValue": self._put,
            "ListSecretVersionIds": self._versions,
        }.get(call.action)
        return handler(call) if handler else None

    def _get(self, call: Call) -> None:
        secret = _secret(call)
        if secret is not None:
            check_read(call.caller, secret, call.parameters.get("VersionId"))

    def _batch_get(self, _call: Call) -> None:
        raise AwsRefusal(
            "InvalidRequestException", "The sandbox does not offer BatchGetSecretValue: use GetSecretValue."
        )

    def _create(self, call: Call) -> None:
        existing = dict.get(_backend(call).secrets, call.parameters.get("Name"))
        if existing is not None and existing.is_deleted():
            raise AwsRefusal("InvalidRequestException", _SCHEDULED)

    def _delete(self, call: Call) -> None:
        secret = _secret(call)
        days = call.parameters.get("RecoveryWindowInDays")
        forced = bool(call.parameters.get("ForceDeleteWithoutRecovery"))
        if days is not None and forced:
            raise AwsRefusal(
                "InvalidParameterException",
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            )
        if days is not None and not _WINDOW[0] <= int(days) <= _WINDOW[1]:
            raise AwsRefusal(
                "InvalidParameterException",
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            )
        if secret is not None and secret.is_deleted() and not forced:
            raise AwsRefusal("InvalidRequestException", _MARKED)

    def _put(self, call: Call) -> object | None:
        """Put through moto, then give back the labels of ours that it drops from the version before."""
        secret = _secret(call)
        if secret is None:
            return None
        before = {key: list(version["version_stages"]) for key, version in secret.versions.items()}
        asked = call.parameters.get("VersionStages") or ["AWSCURRENT"]
        answer = _backend(call).put_secret_value(
            secret_id=call.parameters["SecretId"],
            secret_string=call.parameters.get("SecretString"),
            secret_binary=call.parameters.get("SecretBinary"),
            client_request_token=call.parameters.get("ClientRequestToken"),
            version_stages=list(asked),
        )
        for key, stages in before.items():
            version = secret.versions.get(key)
            if version is None:
                continue
            kept = [s for s in stages if s not in _RESERVED and s not in asked]
            version["version_stages"] += [s for s in kept if s not in version["version_stages"]]
        return _decoded(answer)

    def _versions(self, call: Call) -> object | None:
        secret = _secret(call)
        if secret is None:
            return None
        shown = bool(call.parameters.get("IncludeDeprecated"))
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


def _decoded(answer: str) -> object:
    decoded: object = json.loads(answer)
    return decoded
