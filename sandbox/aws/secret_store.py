"""Secrets Manager where moto differs from AWS: who may read, the recovery window, and stages that stay.

Rules: Secrets Manager API reference (GetSecretValue, CreateSecret, DeleteSecret, RestoreSecret, PutSecretValue,
UpdateSecret, UpdateSecretVersionStage, ListSecretVersionIds). It must never log a value, nor show a deleted
secret's value to anyone.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws.grants import AwsRefusal, check_read, deleted_secret, no_such_secret
from sandbox.aws.shapes import checked
from sandbox.aws.wire import Call

_SCHEDULED = "You can't create this secret because a secret with this name is already scheduled for deletion."
_WINDOW = (7, 30)
_REFUSED_WHEN_DELETED = frozenset(
    {"PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage", "GetSecretValue", "RotateSecret"}
)


class SecretStore:
    """The handlers of Secrets Manager. `clock` gives Unix seconds, so that a recovery window can pass."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Take the clock."""
        self._clock = clock
        # Stages are read, written by moto and laid anew: two writers of one secret must not come in between.
        self._turn = threading.Lock()

    def answer(self, call: Call) -> object | None:
        """Return a result, or None to let moto answer. Raises `AwsRefusal`."""
        with self._turn:
            return self._answer(call)

    def _answer(self, call: Call) -> object | None:
        self._forget_expired(call)
        handler = {
            "GetSecretValue": self._get,
            "BatchGetSecretValue": self._batch_get,
            "ReplicateSecretToRegions": self._replicate,
            "CreateSecret": self._create,
            "DeleteSecret": self._delete,
            "PutSecretValue": self._put,
            "UpdateSecret": self._update,
            "UpdateSecretVersionStage": self._move_stage,
            "ListSecretVersionIds": self._versions,
        }.get(call.action)
        if handler is not None:
            call = checked(call)
        if call.action in _REFUSED_WHEN_DELETED:
            secret = _secret(call)
            if secret is not None and secret.is_deleted():
                raise deleted_secret()
        return handler(call) if handler else None

    def _get(self, call: Call) -> None:
        secret = _secret(call)
        if secret is not None:
            check_read(call.caller, secret, call.parameters.get("VersionId"))

    def _batch_get(self, _call: Call) -> None:
        raise AwsRefusal(
            "InvalidRequestException", "The sandbox does not offer BatchGetSecretValue: use GetSecretValue."
        )

    def _replicate(self, _call: Call) -> None:
        raise AwsRefusal("InvalidRequestException", "The sandbox keeps a secret in one region only.")

    def _create(self, call: Call) -> None:
        _has_value(call)
        if "AddReplicaRegions" in call.parameters:
            self._replicate(call)
        existing = dict.get(_backend(call).secrets, call.parameters["Name"])
        if existing is not None and existing.is_deleted():
            raise AwsRefusal("InvalidRequestException", _SCHEDULED)

    def _delete(self, call: Call) -> None:
        secret = _secret(call)
        days = call.parameters.get("RecoveryWindowInDays")
        forced = call.parameters.get("ForceDeleteWithoutRecovery", False)
        if days is not None and forced:
            raise AwsRefusal(
                "InvalidParameterException",
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            )
        if days is not None and not _WINDOW[0] <= days <= _WINDOW[1]:
            raise AwsRefusal(
                "InvalidParameterException",
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            )
        if secret is not None and secret.is_deleted() and not forced:
            raise deleted_secret()

    def _put(self, call: Call) -> object:
        asked = call.parameters
        if not _has_value(call):
            raise AwsRefusal(
                "InvalidRequestException", "You must provide either SecretString or SecretBinary."
            )
        stages = list(dict.fromkeys(asked.get("VersionStages") or ["AWSCURRENT"]))
        with _moved_stages(_found(call), stages):
            answer = _backend(call).put_secret_value(
                secret_id=asked["SecretId"],
                secret_string=asked.get("SecretString"),
                secret_binary=asked.get("SecretBinary"),
                client_request_token=asked.get("ClientRequestToken"),
                version_stages=list(stages),
            )
        return _decoded(answer)

    def _update(self, call: Call) -> object:
        asked, secret = call.parameters, _found(call)
        token = asked.get("ClientRequestToken") or str(uuid4())
        if _has_value(call) and token in secret.versions:
            raise AwsRefusal(
                "ResourceExistsException",
                f"You can't use ClientRequestToken {token} because that value is already in use for a version of "
                f"secret {secret.arn}.",
            )
        with _moved_stages(secret, ["AWSCURRENT"]):
            answer = _backend(call).update_secret(
                secret_id=asked["SecretId"],
                secret_string=asked.get("SecretString"),
                secret_binary=asked.get("SecretBinary"),
                client_request_token=token,
                kms_key_id=asked.get("KmsKeyId"),
                description=asked.get("Description"),
            )
        return _decoded(answer)

    def _move_stage(self, call: Call) -> object:
        """Move through moto, which goes on taking the version that was current before for the current one."""
        asked, secret = call.parameters, _found(call)
        stage, to = asked["VersionStage"], asked.get("MoveToVersionId")
        holder = _holder(secret, stage)
        if to and holder not in (None, to) and not asked.get("RemoveFromVersionId"):
            raise AwsRefusal(
                "InvalidParameterException",
                f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to "
                f"version {holder}, so you must explicitly reference that version in RemoveFromVersionId.",
            )
        arn, name = _backend(call).update_secret_version_stage(
            asked["SecretId"], stage, asked.get("RemoveFromVersionId"), to
        )
        secret.set_default_version_id(_holder(secret, "AWSCURRENT"))
        return {"ARN": arn, "Name": name}

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


def _holder(secret: Any, stage: str) -> str | None:
    return next((key for key, each in secret.versions.items() if stage in each["version_stages"]), None)


def _has_value(call: Call) -> bool:
    """Whether a request brings a value. Raises `AwsRefusal` for one that brings two."""
    given = [name for name in ("SecretString", "SecretBinary") if name in call.parameters]
    if len(given) > 1:
        raise AwsRefusal(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )
    return bool(given)


@contextmanager
def _moved_stages(secret: Any, moved: list[str]) -> Iterator[None]:
    """Let moto write a version, then lay the stages of the others as AWS does: what is not moved stays."""
    before = {key: (each, list(each["version_stages"])) for key, each in secret.versions.items()}
    yield
    written = [
        key for key, each in secret.versions.items() if key not in before or each is not before[key][0]
    ]
    for key, (version, stages) in before.items():
        if not written or key in written:
            continue
        kept = [s for s in stages if s not in moved]
        if "AWSCURRENT" in moved:
            kept = [s for s in kept if s != "AWSPREVIOUS"]
            if "AWSCURRENT" in stages:
                kept.insert(0, "AWSPREVIOUS")
        version["version_stages"] = kept


def _decoded(answer: str) -> object:
    decoded: object = json.loads(answer)
    return decoded
