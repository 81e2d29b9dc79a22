"""The resource type mongodbatlas:index/customDbRole:CustomDbRole.

As in the provider, a project's roles are changed one at a time, a create is retried on 404 or 500, and each change is
read back; waiting polls instead of sleeping. Deleting a missing role is no error.
"""

import time
from collections.abc import Iterator
from typing import Any, Final

from sandbox.engine.values import Properties
from sandbox.providers.atlas_client import NOT_FOUND, AtlasClient, AtlasError, decoded, encoded, refused
from sandbox.providers.errors import PartlyCreated, ProviderError
from sandbox.providers.resource import Found, Property, ResourceType

_RETRIED: Final = (404, 500)
_DEADLINE: Final = 30.0  # seconds that a create, or a wait for a change to show, may take
_PAUSE: Final = 0.2  # seconds between two reads


def _payload(inputs: Properties) -> Properties:
    return {
        "actions": [
            {"action": one["action"], "resources": [_on(resource) for resource in one.get("resources") or []]}
            for one in inputs.get("actions") or []
        ],
        "inheritedRoles": [
            {"db": one["databaseName"], "role": one["roleName"]} for one in inputs.get("inheritedRoles") or []
        ],
    }


def _on(resource: Properties) -> Properties:
    if resource.get("cluster"):
        return {"cluster": True}
    database, collection = resource.get("databaseName") or "", resource.get("collectionName") or ""
    return {"cluster": False, "collection": collection, "db": database}


def _found(answer: Any, project: str) -> Found:
    state = {
        "actions": [
            {
                "action": one["action"],
                "resources": [
                    {
                        "cluster": bool(resource.get("cluster")),
                        "collectionName": resource.get("collection") or "",
                        "databaseName": resource.get("db") or "",
                    }
                    for resource in one.get("resources") or []
                ],
            }
            for one in answer.get("actions") or []
        ],
        "inheritedRoles": [
            {"databaseName": one["db"], "roleName": one["role"]} for one in answer.get("inheritedRoles") or []
        ],
        "projectId": project,
        "roleName": answer["roleName"],
    }
    return Found(encoded(project_id=project, role_name=answer["roleName"]), state)


def _address(identity: str) -> tuple[str, str]:
    """Project and role name, from an id of the state or one to import by."""
    parts = decoded(identity)
    if parts:
        return parts["project_id"], parts["role_name"]
    project, _, role = identity.partition("-")
    if not (project and role):
        raise refused(identity, "{project_id}-{role_name}")
    return project, role


def _roles(project: str, *role: str) -> tuple[str, ...]:
    return (project, "customDBRoles", "roles", *role)


def _get(client: AtlasClient, project: str, role: str) -> Properties | None:
    return client.find(_roles(project, role), "error getting custom db role information")


def _create(client: AtlasClient, inputs: Properties) -> Found:
    project, role = inputs["projectId"], inputs["roleName"]
    with client.role_lock(project):
        _post(client, project, {**_payload(inputs), "roleName": role})
        try:
            return _awaited(client, project, role)
        except ProviderError as error:
            identity = encoded(project_id=project, role_name=role)
            raise PartlyCreated(identity, dict(inputs), str(error)) from error


def _post(client: AtlasClient, project: str, body: Properties) -> None:
    for last in _attempts():
        try:
            client.call("POST", _roles(project), "error creating custom db role", body=body)
        except AtlasError as error:
            if error.status not in _RETRIED or last:
                raise
        else:
            return


def _awaited(client: AtlasClient, project: str, role: str) -> Found:
    for _ in _attempts():
        answer = _get(client, project, role)
        if answer is not None:
            return _found(answer, project)
    raise ProviderError(f"error creating custom db role: {role} cannot be read after {_DEADLINE:.0f} s")


def _attempts() -> Iterator[bool]:
    """Paces attempts until the deadline; true for the last one."""
    until = time.monotonic() + _DEADLINE
    while time.monotonic() < until:
        yield False
        time.sleep(_PAUSE)
    yield True


def _read(client: AtlasClient, identity: str, _known: Properties) -> Found | None:
    project, role = _address(identity)
    answer = _get(client, project, role)
    return None if answer is None else _found(answer, project)


def _update(client: AtlasClient, identity: str, _old: Properties, inputs: Properties) -> Properties:
    project, role = _address(identity)
    what = f"error updating custom db role ({role})"
    with client.role_lock(project):
        client.call("PATCH", _roles(project, role), what, body=_payload(inputs))
        answer = _get(client, project, role)
    if answer is None:
        raise ProviderError(f"{what}: it is gone")
    return _found(answer, project).state


def _delete(client: AtlasClient, identity: str, _state: Properties) -> None:
    project, role = _address(identity)
    what = f"error deleting custom db role ({role})"
    with client.role_lock(project):
        if _get(client, project, role) is None:
            return
        try:
            client.call("DELETE", _roles(project, role), what)
        except AtlasError as error:
            if error.status != NOT_FOUND:
                raise
        for _ in _attempts():
            if _get(client, project, role) is None:
                return
    raise ProviderError(f"{what}: still there after {_DEADLINE:.0f} s")


CUSTOM_DB_ROLE: Final = ResourceType[AtlasClient](
    token="mongodbatlas:index/customDbRole:CustomDbRole",  # noqa: S106 - a type token
    properties=(
        Property("actions", block=True),
        Property("inheritedRoles", block=True),
        Property("projectId", required=True, replaces=True),
        Property("roleName", required=True, replaces=True),
    ),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
