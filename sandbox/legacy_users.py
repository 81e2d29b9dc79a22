"""Creates the legacy users and roles through the emulator, without propagation, and their connection strings."""

import secrets
import string
from collections.abc import Mapping

from pydantic import SecretStr

from sandbox.atlas import EmulatorError
from sandbox.atlas.auth import Credential
from sandbox.atlas.models import Action, CustomRole, NewUser, Resource, RoleGrant
from sandbox.atlas.project import Project
from sandbox.estate import Estate, EstateUser

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 32
_BY_HAND = Credential("ops-laptop", "", "")
_OPTIONS = "retryWrites=true&w=majority&authSource=admin&directConnection=true"


def new_passwords(estate: Estate) -> dict[tuple[str, str], SecretStr]:
    """Return a password of 32 letters and digits for every legacy user, by environment and name."""
    return {
        (user.environment, user.name): SecretStr("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))
        for user in estate.users
    }


def make_users(
    project: Project, estate: Estate, environment: str, passwords: Mapping[tuple[str, str], SecretStr]
) -> None:
    """Create an environment's legacy roles, then users, in `mongod`. Raises `EmulatorError` on a timeout."""
    delay, project.propagation.seconds = project.propagation.seconds, 0.0
    try:
        for name, grants in estate.roles_of(environment).items():
            actions = tuple(
                Action(
                    action=action, resources=tuple(Resource(db=estate.database, collection=c) for c in where)
                )
                for action, where in grants.items()
            )
            project.add_role(CustomRole(role_name=name, actions=actions), _BY_HAND)
        for user in estate.users_of(environment):
            grant = RoleGrant(role_name=user.role_name, database_name=user.role_database)
            password = passwords[environment, user.name]
            made = NewUser(
                username=user.name,
                database_name="admin",
                group_id=project.spec.project_id,
                roles=(grant,),
                password=password,
            )
            project.add_user(made, _BY_HAND)
        settled = project.propagation.settle()
    finally:
        project.propagation.seconds = delay
    if not settled:
        raise EmulatorError(
            f"the mongod of cluster {project.spec.cluster_name} has not taken the legacy users: see its log"
        )


def connection_strings(
    estate: Estate,
    environment: str,
    addresses: Mapping[tuple[str, str], str],
    passwords: Mapping[tuple[str, str], SecretStr],
) -> dict[str, str]:
    """Return every Mongo secret's value by name; `addresses` gives host:port by environment and kind."""
    return {
        secret.name: _string(user, addresses[user.environment, secret.address], passwords, estate.database)
        for user, secret in estate.secrets_in(environment)
    }


def _string(
    user: EstateUser, address: str, passwords: Mapping[tuple[str, str], SecretStr], database: str
) -> str:
    password = passwords[user.environment, user.name].get_secret_value()
    return f"mongodb://{user.name}:{password}@{address}/{database}?{_OPTIONS}"
