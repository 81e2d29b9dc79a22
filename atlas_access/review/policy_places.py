"""Where in `access.yaml` a finding of the policy pack comes from, for code scanning and for a person.

What the manifest does not declare by that name has no place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from atlas_access.manifest import Manifest

_SECRETS = (":Secret", ":SecretVersion", ":PrivilegeProof")
_TASKS = (":TaskDefinition", ":Rollout", ":Service")
_OF_A_USERS_ROLE = re.compile(r"^DatabaseUser \S+: (?:roles\b|may )")
_WAIVER = re.compile(r"\bwaiver ([A-Za-z0-9_-]+)")


def line_of(manifest: Manifest, type_token: str, subject: str, message: str) -> int:
    """The line that declares what a finding is about; 0 where the manifest does not declare it.

    `subject` is the name by which the manifest knows the resource: a user's, a role's, a secret's or a family's.
    """
    found = (manifest.line_of(path) for path in _paths(manifest, type_token, subject, message))
    return next((line for line in found if line is not None), 0)


def _paths(manifest: Manifest, type_token: str, subject: str, message: str) -> Iterator[str]:
    """Dotted paths, the nearest to the cause first."""
    waiver = _WAIVER.search(message)
    if waiver:
        yield f"waivers.{waiver[1]}"
    if type_token.endswith(":DatabaseUser"):
        if _OF_A_USERS_ROLE.match(message):
            yield f"users.{subject}.role"
        yield f"users.{subject}"
    elif type_token.endswith(":CustomDbRole"):
        yield f"roles.{subject}"
    elif type_token.endswith(_SECRETS):
        yield from _secret(manifest, subject.rpartition("/")[2])
    elif type_token.endswith(_TASKS):
        yield f"bindings.{'schema_task' if subject.endswith('-schema') else 'service'}"


def _secret(manifest: Manifest, last_part: str) -> Iterator[str]:
    """Where a secret's name is written: at the binding that has one of its own, or at its user."""
    for binding in manifest.bindings:
        if binding.secret_name.rpartition("/")[2] == last_part:
            yield f"bindings.{binding.consumer.value}.{binding.variable}.secret"
            yield f"users.{binding.user}.secret"
