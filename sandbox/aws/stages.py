"""Staging labels of secret versions, where moto differs from AWS. A refused move has no effect.

Rules: Secrets Manager API reference (UpdateSecretVersionStage, PutSecretValue) and user guide, "What's in a secret".
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.aws.grants import AwsRefusal, invalid

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
_MOST = 20
"""How many labels all versions of a secret bear together (Secrets Manager user guide, quotas)."""


def holder(secret: Any, stage: str) -> str | None:
    """Return the version that carries a label."""
    return next((key for key, each in secret.versions.items() if stage in each["version_stages"]), None)


def check_room(secret: Any, stages: Collection[str]) -> None:
    """Raise `AwsRefusal` where these labels would be too many for the secret."""
    borne = {label for each in secret.versions.values() for label in each["version_stages"]} | set(stages)
    if CURRENT in stages and secret.versions:
        borne.add(PREVIOUS)
    if len(borne) > _MOST:
        raise AwsRefusal("LimitExceededException", f"A secret can't have more than {_MOST} staging labels.")


def move_stage(secret: Any, stage: str, taken_from: str | None, to: str | None) -> None:
    """Move a label between versions, attach it, or take it off. Raises `AwsRefusal`."""
    has = holder(secret, stage)
    _check_move(secret, stage, has, taken_from, to)
    if to:
        check_room(secret, [stage])
    if has == to:
        return
    if has:
        secret.versions[has]["version_stages"].remove(stage)
    if to:
        secret.versions[to]["version_stages"].append(stage)
    if stage == CURRENT:
        # The version that was current is the previous one now, and the only one.
        for key, each in secret.versions.items():
            kept = [label for label in each["version_stages"] if label != PREVIOUS]
            each["version_stages"] = [*kept, PREVIOUS] if key == has else kept
        # moto takes the version of this id for the one that was current, at the next write.
        secret.set_default_version_id(to)


def _check_move(secret: Any, stage: str, has: str | None, taken_from: str | None, to: str | None) -> None:
    for version in (taken_from, to):
        if version and version not in secret.versions:
            raise invalid(f"Not a valid version: {version}")
    if taken_from and taken_from != has:
        raise invalid(f"Version stage {stage} not found in version {taken_from}")
    if has and has != to and not taken_from and (to or stage == CURRENT):
        raise invalid(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to "
            f"version {has}, so you must explicitly reference that version in RemoveFromVersionId."
        )
    if stage == CURRENT and not to:
        raise invalid(
            "You can't remove the staging label AWSCURRENT: you can only move it to another version."
        )


@contextmanager
def moved_stages(secret: Any, moved: list[str]) -> Iterator[None]:
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
        if CURRENT in moved:
            kept = [s for s in kept if s != PREVIOUS]
            if CURRENT in stages:
                kept.insert(0, PREVIOUS)
        version["version_stages"] = kept
