"""Reads a task's secrets with its execution role, or gives ECS's reason why the task cannot start.

Rules: ECS developer guide, "Pass Secrets Manager secrets through container environment variables" and "Resolve ECS
ResourceInitializationError".
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.aws.grants import AwsRefusal, Caller, check_read, deleted_secret, find_secret, no_such_secret

_REFERENCE = re.compile(
    r"(?P<arn>arn:aws:secretsmanager:[^:]+:[^:]+:secret:[^:]+)"
    r"(?::(?P<key>[^:]*):(?P<stage>[^:]*):(?P<version>[^:]*))?"
)
_PREFIX = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to retrieve secret from asm: service call has been retried 1 time(s): "
)


class SecretsUnreadable(Exception):
    """A task cannot start; the message is ECS's stop reason."""


def secret_values(definition: Any, session: str) -> dict[str, dict[str, str]]:
    """Return the values of a task definition's secrets by container and variable. Raises `SecretsUnreadable`."""
    found: dict[str, dict[str, str]] = {}
    for container in definition.container_definitions:
        values = found.setdefault(container["name"], {})
        for secret in container.get("secrets") or ():
            try:
                values[secret["name"]] = _resolve(
                    secret, getattr(definition, "execution_role_arn", None), session
                )
            except AwsRefusal as refusal:
                raise SecretsUnreadable(
                    f"{_PREFIX}failed to fetch secret {secret['valueFrom']} from secrets manager: "
                    f"{refusal.code}: {refusal.message}"
                ) from None
    return found


def _resolve(reference: Mapping[str, str], role_arn: str | None, session: str) -> str:
    match = _REFERENCE.fullmatch(reference["valueFrom"])
    if match is None:
        raise AwsRefusal("ValidationException", "Invalid name. It must be the full ARN of a secret.")
    if role_arn is None:
        raise AwsRefusal("AccessDeniedException", "The task definition names no execution role.")
    caller = Caller.of_role(role_arn, session)
    secret = find_secret(match["arn"])
    if secret is None:
        raise no_such_secret()
    if secret.is_deleted():
        raise deleted_secret()
    version = _version(secret, match["version"] or "", match["stage"] or "")
    check_read(caller, secret, version["version_id"])
    return _json_value(version, match["key"]) if match["key"] else str(version.get("secret_string") or "")


def _version(secret: Any, version_id: str, stage: str) -> dict[str, Any]:
    label = stage or ("" if version_id else "AWSCURRENT")
    for key, version in secret.versions.items():
        if (not version_id or key == version_id) and (not label or label in version["version_stages"]):
            found: dict[str, Any] = version
            return found
    wanted = f"VersionId: {version_id}" if version_id else f"staging label: {label}"
    raise AwsRefusal(
        "ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for {wanted}"
    )


def _json_value(version: Mapping[str, Any], key: str) -> str:
    try:
        return str(json.loads(version["secret_string"])[key])
    except (ValueError, TypeError, KeyError):
        raise AwsRefusal("ValidationException", f"retrieved secret did not contain json key {key}") from None
