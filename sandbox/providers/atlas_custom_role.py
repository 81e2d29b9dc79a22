"""The resource type mongodbatlas:index/customDbRole:CustomDbRole.

As in the provider, a project's roles are changed one at a time, a create is retried on 404 or 500, and each change is
read back; waiting polls instead of sleeping. Deleting a missing role is no error.
"""

import time
from typing import Any, Final

from sandbox.providers.atlas_client import NOT_FOUND, AtlasClient, AtlasError, decoded, encoded, refused
from sandbox.providers.errors import PartlyCreated, ProviderError, doing
from sandbox.providers.resource import Found, Property, ResourceType
from sandbox.values import Properties

_RETRIED: Final = (404, 500)
_NAME: Final = "custom_db_role"
_DEADLINE: Final = 30.0  # seconds that a create, or a wait for a change to show, may take
_PAUSE: Final = 0.2  # seconds between two reads


def _payload(inputs: Properties) -> Properties:
    return {
        "actions": [
            {
                "action": one["action"],
                "resources": [_resource_payload(resource) for resource in one.get("resources") or []],
            }
            for one in inputs.get("actions") or []
        ],
        "inheritedRoles": [
            {"db": one["databaseName"], "role": one["roleName"]} for one in inputs.get("inheritedRoles") or []
        ],
    }


def _resource_payload(resource: Properties) -> Properties:
    if resource.get("cluster"):
        return {"cluster": True}
    return {
        "cluster": False,
        "collection": resource.get("collectionName") or "",
        "db": resource.get("databaseName") or "",
    }


def _state(answer: Any, project: str) -> Properties:
    return {
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


def _address(identity: str) -> tuple[str, str]:
    """Project and role name, from an id of the state or one to import by."""
    parts = decoded(identity)
    if parts:
        return parts["project_id"], parts["role_name"]
    project, separator, role = identity.partition("-")
    if not (separator and project and role):
        raise refused(identity, "{project_id}-{role_name}")
    return project, role


def _roles(project: str, *role: str) -> tuple[str, ...]:
    return (project, "customDBRoles", "roles", *role)


def _get(client: AtlasClient, project: str, role: str, operation: str) -> Properties | None:
    with doing("error getting custom db role information"):
        return client.find(_roles(project, role), name=_NAME, operation=operation)


def _create(client: AtlasClient, inputs: Properties) -> Found:
    project, role = inputs["projectId"], inputs["roleName"]
    body = {**_payload(inputs), "roleName": role}
    identity = encoded(project_id=project, role_name=role)
    with client.role_lock(project):
        with doing("error creating custom db role"):
            _post(client, project, body)
        try:
            answer = _awaited(client, project, role)
        except ProviderError as error:
            raise PartlyCreated(identity, dict(inputs), str(error)) from error
    return Found(identity, _state(answer, project))


def _post(client: AtlasClient, project: str, body: Properties) -> None:
    until = time.monotonic() + _DEADLINE
    while True:
        try:
            client.call("POST", _roles(project), name=_NAME, operation="create", body=body)
        except AtlasError as error:
            if error.status not in _RETRIED or time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _awaited(client: AtlasClient, project: str, role: str) -> Properties:
    until = time.monotonic() + _DEADLINE
    while (answer := _get(client, project, role, "create")) is None:
        _pause(until, f"error creating custom db role: {role} cannot be read")
    return answer


def _pause(until: float, message: str) -> None:
    if time.monotonic() >= until:
        raise ProviderError(f"{message} after {_DEADLINE:.0f} s")
    time.sleep(_PAUSE)


def _read(client: AtlasClient, identity: str, _known: Properties) -> Found | None:
    project, role = _address(identity)
    answer = _get(client, project, role, "read")
    if answer is None:
        return None
    return Found(encoded(project_id=project, role_name=role), _state(answer, project))


def _update(client: AtlasClient, identity: str, _old: Properties, inputs: Properties) -> Properties:
    project, role = _address(identity)
    with client.role_lock(project):
        with doing(f"error updating custom db role ({role})"):
            client.call("PATCH", _roles(project, role), name=_NAME, operation="update", body=_payload(inputs))
        answer = _get(client, project, role, "update")
    if answer is None:
        raise ProviderError(f"error updating custom db role ({role}): it is gone")
    return _state(answer, project)


def _delete(client: AtlasClient, identity: str, _state: Properties) -> None:
    project, role = _address(identity)
    with client.role_lock(project):
        if _get(client, project, role, "delete") is None:
            return
        try:
            client.call("DELETE", _roles(project, role), name=_NAME, operation="delete")
        except ProviderError as error:
            if not (isinstance(error, AtlasError) and error.status == NOT_FOUND):
                raise ProviderError(f"error deleting custom db role ({role}): {error}") from error
        until = time.monotonic() + _DEADLINE
        while _get(client, project, role, "delete") is not None:
            _pause(until, f"error deleting custom db role ({role}): still there")


CUSTOM_DB_ROLE: Final = ResourceType[AtlasClient](
    token="mongodbatlas:index/customDbRole:CustomDbRole",  # noqa: S106 - a type token
    properties=(
        Property("actions", unordered=True, block=True),
        Property("inheritedRoles", unordered=True, block=True),
        Property("projectId", required=True, replaces=True),
        Property("roleName", required=True, replaces=True),
    ),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
