"""Labels on the secret versions that a service's revisions pin: Secrets Manager deletes a version without one at will.

AWSCURRENT and AWSPREVIOUS move on with each new version. A version of ours that the running or the recorded revision
pins, and that bears no label any more, gets one that names the version, so that it never moves (Secrets Manager user
guide, "What's in a secret": versions without labels are deprecated; 20 labels a secret).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from atlas_access.base import SecretReference, secret_references
from atlas_access.clients import MADE_HERE, AwsUnavailable, StoredSecret

LABEL = "atlas-access.pinned."


def definitions(
    describe: Callable[[str], Mapping[str, Any]], revisions: Iterable[str]
) -> list[Mapping[str, Any]]:
    """The definitions of revisions, but for those that ECS has deleted. Raises `AwsUnavailable`."""
    found = []
    for revision in dict.fromkeys(revisions):
        try:
            found.append(describe(revision))
        except AwsUnavailable as error:
            if error.code not in ("ClientException", "InvalidParameterException"):
                raise
    return found


def pinned(definitions: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """The versions that revisions pin, by the ARN of their secret."""
    found: dict[str, set[str]] = {}
    for definition in definitions:
        for value in secret_references(definition).values():
            reference = SecretReference.parse(value)
            if reference is not None and reference.version:
                found.setdefault(reference.arn, set()).add(reference.version)
    return found


def unlabelled(stored: Iterable[StoredSecret], definitions: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Each pinned version of a secret of ours that bears no label."""
    wanted = pinned(definitions)
    return tuple(
        f"{each.name} version {version}"
        for each in stored
        if each.made_here
        for version in sorted(wanted.get(each.arn, set()) - each.stages.keys())
    )


def label_again(store: Any, definitions: Iterable[Mapping[str, Any]], say: Callable[[str], None]) -> None:
    """Label each such version again; first take our labels off versions that are not pinned any more.

    What AWS refuses is reported: a version without a label can still be read by its id.
    """
    for arn, versions in pinned(definitions).items():
        name = SecretReference(arn).name
        try:
            about = store.describe_secret(SecretId=arn)
            if not str(about.get("Description", "")).endswith(MADE_HERE):
                continue
            stages: Mapping[str, list[str]] = about.get("VersionIdsToStages") or {}
            for version, labels in stages.items():
                for label in labels if version not in versions else ():
                    if label.startswith(LABEL):
                        store.update_secret_version_stage(
                            SecretId=arn, VersionStage=label, RemoveFromVersionId=version
                        )
            for version in sorted(versions - stages.keys()):
                store.update_secret_version_stage(
                    SecretId=arn, VersionStage=f"{LABEL}{version}", MoveToVersionId=version
                )
                say(f"{name} version {version}: labelled again, so that Secrets Manager keeps it")
        except AwsUnavailable as error:
            say(f"{name}: a pinned version has no label, and was not labelled again: {error}")
