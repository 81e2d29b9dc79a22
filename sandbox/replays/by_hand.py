"""Manual changes outside ECS: database users and roles in Atlas, grants in IAM."""

import json
from collections.abc import Mapping
from typing import Any

import requests
from requests.auth import HTTPDigestAuth

from sandbox.atlas.dispatch import CONTROL
from sandbox.replays.stage import Stage, until
from sandbox.world import SandboxError

_MEDIA = "application/vnd.atlas.2023-01-01+json"
_SECONDS = 20.0
_POLICY = "by-hand"


def atlas(stage: Stage, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Ask Atlas as the holder of the project's API key does. Raises `SandboxError` when it refuses."""
    here = stage.world.of(stage.stack)
    url = f"{stage.world.atlas_url.rstrip('/')}/api/atlas/v2/groups/{here.project_id}/{path}"
    reply = requests.request(
        method,
        url,
        data=json.dumps(body) if body is not None else None,
        headers={"Accept": _MEDIA, "Content-Type": _MEDIA},
        auth=HTTPDigestAuth(here.atlas.public, here.atlas.private),
        timeout=_SECONDS,
    )
    if not reply.ok:
        raise SandboxError(f"Atlas refused {method} {path}: HTTP {reply.status_code}")
    return reply.json() if reply.content else {}


def propagate(stage: Stage, seconds: float) -> None:
    """How long changes in Atlas take from now on until the cluster knows them; what waits is applied at once for 0."""
    project = stage.world.of(stage.stack).project_id
    _control(stage, "propagation", {"projectId": project, "seconds": seconds})
    if not seconds:
        _control(stage, "settle", {})


def applied(stage: Stage) -> None:
    """Wait until the cluster knows every change."""
    cluster = stage.world.of(stage.stack).cluster
    known = until(
        lambda: atlas(stage, "GET", f"clusters/{cluster}/status")["changeStatus"] == "APPLIED", _SECONDS
    )
    if not known:
        raise SandboxError(f"Atlas did not apply its changes to {cluster} within {_SECONDS:.0f} s")


def set_actions(stage: Stage, role: str, collection: str, actions: tuple[str, ...]) -> None:
    """Give a custom role exactly these actions on one collection, and wait until the cluster knows."""
    resources = [{"db": "askflorence", "collection": collection}]
    granted = [{"action": action, "resources": resources} for action in actions]
    atlas(stage, "PATCH", f"customDBRoles/roles/{role}", {"actions": granted, "inheritedRoles": []})
    applied(stage)


def let_runtime_read(stage: Stage, secret_arn: str) -> None:
    """Let the runtime's execution role read one more secret; undone when the replay has ended."""
    iam = stage.aws("iam")
    role = f"{stage.family}-execution"
    statement = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret_arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName=_POLICY, PolicyDocument=document)
    stage.later(lambda: iam.delete_role_policy(RoleName=role, PolicyName=_POLICY))


def _control(stage: Stage, what: str, body: Mapping[str, Any]) -> None:
    url = f"{stage.world.atlas_url.rstrip('/')}{CONTROL}/{what}"
    if not requests.post(url, json=dict(body), timeout=_SECONDS).ok:
        raise SandboxError(f"the Atlas emulator refused {what}")
