"""The resource type mongodbatlas:index/databaseUser:DatabaseUser.

As in the provider, each change is one request without retries or waiting. Deleting a missing user is an error. An
unchanged password is not sent again, and no password is read back.
"""

from typing import Any, Final

from sandbox.providers.atlas_client import AtlasClient, decoded, encoded, refused
from sandbox.providers.errors import doing
from sandbox.providers.resource import Found, Property, ResourceType
from sandbox.values import UNKNOWN, Properties

_NAME: Final = "database_user"
_KINDS: Final = ("awsIamType", "ldapAuthType", "oidcAuthType", "x509Type")
_NO_KIND: Final = "NONE"
_IMPORT_FORM: Final = "{project_id}-{username}-{auth_database_name}"


def _payload(inputs: Properties) -> Properties:
    payload: Properties = {
        "awsIAMType": inputs.get("awsIamType") or _NO_KIND,
        "databaseName": inputs["authDatabaseName"],
        "groupId": inputs["projectId"],
        "labels": [{"key": one.get("key"), "value": one.get("value")} for one in inputs.get("labels") or []],
        "ldapAuthType": inputs.get("ldapAuthType") or _NO_KIND,
        "oidcAuthType": inputs.get("oidcAuthType") or _NO_KIND,
        "roles": [_role_payload(role) for role in inputs.get("roles") or []],
        "scopes": [{"name": one.get("name"), "type": one.get("type")} for one in inputs.get("scopes") or []],
        "username": inputs["username"],
        "x509Type": inputs.get("x509Type") or _NO_KIND,
    }
    if inputs.get("description"):
        payload["description"] = inputs["description"]
    return payload


def _role_payload(role: Properties) -> Properties:
    collection = {"collectionName": role["collectionName"]} if role.get("collectionName") else {}
    return {**collection, "databaseName": role["databaseName"], "roleName": role["roleName"]}


def _state(answer: Any, known: Properties) -> Properties:
    return {
        "authDatabaseName": answer["databaseName"],
        "awsIamType": answer.get("awsIAMType") or _NO_KIND,
        "description": answer.get("description") or None,
        "labels": [dict(one) for one in answer.get("labels") or []],
        "ldapAuthType": answer.get("ldapAuthType") or _NO_KIND,
        "oidcAuthType": answer.get("oidcAuthType") or _NO_KIND,
        "password": known.get("password"),
        "projectId": answer["groupId"],
        "roles": [_role_payload(role) for role in answer.get("roles") or []],
        "scopes": [{"name": one["name"], "type": one["type"]} for one in answer.get("scopes") or []],
        "username": answer["username"],
        "x509Type": answer.get("x509Type") or _NO_KIND,
    }


def _identity(state: Properties) -> str:
    return encoded(
        project_id=state["projectId"],
        username=state["username"],
        auth_database_name=state["authDatabaseName"],
    )


def _path(identity: str) -> tuple[str, ...]:
    """The user's address in the API, from an id of the state or one to import by."""
    parts = decoded(identity)
    if parts:
        return parts["project_id"], "databaseUsers", parts["auth_database_name"], parts["username"]
    project, _, rest = identity.partition("-")
    username, _, database = rest.rpartition("-")
    if not (project and username and database):
        raise refused(identity, _IMPORT_FORM)
    return project, "databaseUsers", database, username


def _create(client: AtlasClient, inputs: Properties) -> Found:
    payload = _payload(inputs)
    if inputs.get("password"):
        payload["password"] = inputs["password"]
    path = (inputs["projectId"], "databaseUsers")
    with doing("error during database user creation"):
        answer = client.call("POST", path, name=_NAME, operation="create", body=payload)
    state = _state(answer, inputs)
    return Found(_identity(state), state)


def _read(client: AtlasClient, identity: str, known: Properties) -> Found | None:
    with doing("error getting database user information"):
        answer = client.find(_path(identity), name=_NAME, operation="read")
    if answer is None:
        return None
    state = _state(answer, known)
    return Found(_identity(state), state)


def _update(client: AtlasClient, identity: str, old: Properties, inputs: Properties) -> Properties:
    payload = _payload(inputs)
    if inputs.get("password") and inputs["password"] != old.get("password"):
        payload["password"] = inputs["password"]
    with doing("error when updating the database user resource"):
        answer = client.call("PATCH", _path(identity), name=_NAME, operation="update", body=payload)
    return _state(answer, inputs)


def _delete(client: AtlasClient, identity: str, _state: Properties) -> None:
    with doing("error when destroying the database user resource"):
        client.call("DELETE", _path(identity), name=_NAME, operation="delete")


def _plan(_: AtlasClient, planned: Properties) -> Properties:
    kinds = {name: _NO_KIND for name in _KINDS if planned.get(name) is UNKNOWN}
    return {**planned, **kinds}


DATABASE_USER: Final = ResourceType[AtlasClient](
    token="mongodbatlas:index/databaseUser:DatabaseUser",  # noqa: S106 - a type token
    properties=(
        Property("authDatabaseName", required=True, replaces=True),
        Property("awsIamType", computed=True),
        Property("description"),
        Property("labels", unordered=True, block=True),
        Property("ldapAuthType", computed=True),
        Property("oidcAuthType", computed=True),
        Property("password", secret=True, kept=True),
        Property("projectId", required=True, replaces=True),
        Property("roles", required=True, unordered=True, block=True),
        Property("scopes", unordered=True, block=True),
        Property("username", required=True, replaces=True),
        Property("x509Type", computed=True),
    ),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    records_defaults=False,
    plan=_plan,
)
