"""Whether a task of a definition can start: its execution role must read and decrypt every secret it names.

Rules: ECS developer guide, "Pass Secrets Manager secrets through container environment variables" and "Resolve
ECS ResourceInitializationError". Values are looked at only to see that they are there; none is returned.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.aws.grants import AwsRefusal, Caller, check_read, find_secret

_REFERENCE = re.compile(
    r"(?P<arn>arn:aws:secretsmanager:[^:]+:[^:]+:secret:[^:]+)"
    r"(?::(?P<key>[^:]*):(?P<stage>[^:]*):(?P<version>[^:]*))?"
)
_PREFIX = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to retrieve secret from asm: service call has been retried 1 time(s): "
)


def start_failure(definition: Any, session: str) -> str | None:
    """Return the stop reason, in ECS's words, of a task that cannot start; None when it can.

    `definition` is moto's task definition; `session` becomes the role session's name, as ECS uses the task's id.
    """
    for container in definition.container_definitions:
        for secret in container.get("secrets") or ():
            try:
                _resolve(secret, getattr(definition, "execution_role_arn", None), session)
            except AwsRefusal as refusal:
                return (
                    f"{_PREFIX}failed to fetch secret {secret['valueFrom']} from secrets manager: "
                    f"{refusal.code}: {refusal.message}"
                )
    return None


def _resolve(reference: Mapping[str, str], role_arn: str | None, session: str) -> None:
    match = _REFERENCE.fullmatch(reference["valueFrom"])
    if match is None:
        raise AwsRefusal("ValidationException", "Invalid name. It must be the full ARN of a secret.")
    if role_arn is None:
        raise AwsRefusal("AccessDeniedException", "The task definition names no execution role.")
    caller = Caller.of_role(role_arn, session)
    secret = find_secret(match["arn"])
    if secret is None:
        raise AwsRefusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    if secret.is_deleted():
        raise AwsRefusal(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    version = _version(secret, match["version"] or "", match["stage"] or "")
    check_read(caller, secret, version["version_id"])
    if match["key"]:
        _check_json_key(version, match["key"])


def _version(secret: Any, version_id: str, stage: str) -> dict[str, Any]:
    label = stage or ("" if version_id else "AWSCURRENT")
    for key, version in secret.versions.items():
        if (not version_id or key == version_id) and (not label or label in version["version_stages"]):
            found: dict[str, Any] = version
            return found
    wanted = f"VersionId: {version_id}" if version_id else f"staging label: {label}"
    raise AwsRefusal(
        "ResourceNotFoundException",
        f"Secrets Manager can't find the specified secret value for {wanted}",
    )


def _check_json_key(version: Mapping[str, Any], key: str) -> None:
    try:
        present = key in json.loads(version["secret_string"])
    except (ValueError, TypeError, KeyError):
        present = False
    if not present:
        raise AwsRefusal("ValidationException", f"retrieved secret did not contain json key {key}")
