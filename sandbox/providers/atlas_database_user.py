"""The resource type mongodbatlas:index/databaseUser:DatabaseUser.

As in the provider, each change is one request without retries or waiting. Deleting a missing user is an error. An
unchanged password is not sent again, and no password is read back.
"""

from typing import Any, Final

from sandbox.engine.values import UNKNOWN, Properties
from sandbox.providers.atlas_client import AtlasClient, decoded, encoded, refused
from sandbox.providers.resource import Found, Property, ResourceType

_KINDS: Final = {
    "awsIamType": "awsIAMType",
    "ldapAuthType": "ldapAuthType",
    "oidcAuthType": "oidcAuthType",
    "x509Type": "x509Type",
}
"""How a user may sign in beside a password, and what Atlas calls it."""
_NO_KIND: Final = "NONE"
_IMPORT_FORM: Final = "{project_id}-{username}-{auth_database_name}"


def _payload(inputs: Properties, password: str | None) -> Properties:
    optional = {"description": inputs.get("description"), "password": password}
    return {
        **{there: inputs.get(here) or _NO_KIND for here, there in _KINDS.items()},
        **{name: value for name, value in optional.items() if value},
        "databaseName": inputs["authDatabaseName"],
        "groupId": inputs["projectId"],
        "labels": [{"key": one.get("key"), "value": one.get("value")} for one in inputs.get("labels") or []],
        "roles": [_role(role) for role in inputs.get("roles") or []],
        "scopes": [{"name": one.get("name"), "type": one.get("type")} for one in inputs.get("scopes") or []],
        "username": inputs["username"],
    }


def _role(role: Properties) -> Properties:
    collection = {"collectionName": role["collectionName"]} if role.get("collectionName") else {}
    return {**collection, "databaseName": role["databaseName"], "roleName": role["roleName"]}


def _found(answer: Any, known: Properties) -> Found:
    project, name, database = answer["groupId"], answer["username"], answer["databaseName"]
    state = {
        **{here: answer.get(there) or _NO_KIND for here, there in _KINDS.items()},
        "authDatabaseName": database,
        "description": answer.get("description") or None,
        "labels": [dict(one) for one in answer.get("labels") or []],
        "password": known.get("password"),
        "projectId": project,
        "roles": [_role(role) for role in answer.get("roles") or []],
        "scopes": [{"name": one["name"], "type": one["type"]} for one in answer.get("scopes") or []],
        "username": name,
    }
    return Found(encoded(project_id=project, username=name, auth_database_name=database), state)


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
    path, body = (inputs["projectId"], "databaseUsers"), _payload(inputs, inputs.get("password"))
    return _found(client.call("POST", path, "error during database user creation", body=body), inputs)


def _read(client: AtlasClient, identity: str, known: Properties) -> Found | None:
    answer = client.find(_path(identity), "error getting database user information")
    return _found(answer, known) if answer is not None else None


def _update(client: AtlasClient, identity: str, old: Properties, inputs: Properties) -> Properties:
    password = inputs.get("password")
    body = _payload(inputs, password if password != old.get("password") else None)
    what = "error when updating the database user resource"
    return _found(client.call("PATCH", _path(identity), what, body=body), inputs).state


def _delete(client: AtlasClient, identity: str, _state: Properties) -> None:
    client.call("DELETE", _path(identity), "error when destroying the database user resource")


def _plan(_: AtlasClient, planned: Properties) -> Properties:
    kinds = {name: _NO_KIND for name in _KINDS if planned.get(name) is UNKNOWN}
    return {**planned, **kinds}


DATABASE_USER: Final = ResourceType[AtlasClient](
    token="mongodbatlas:index/databaseUser:DatabaseUser",  # noqa: S106 - a type token
    properties=(
        Property("authDatabaseName", required=True, replaces=True),
        Property("awsIamType", computed=True),
        Property("description"),
        Property("labels", block=True),
        Property("ldapAuthType", computed=True),
        Property("oidcAuthType", computed=True),
        Property("password", secret=True, kept=True),
        Property("projectId", required=True, replaces=True),
        Property("roles", required=True, block=True),
        Property("scopes", block=True),
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
