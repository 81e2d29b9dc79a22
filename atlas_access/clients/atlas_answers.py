"""The answers of the Atlas Admin API as models: strict on what the drift check needs, tolerant of everything else.

Source: schemas CloudDatabaseUser, UserCustomDBRole, ClusterDescription20240805 and the project's events. Only fields
that are needed are kept, and only of the asked project.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
)
from pydantic.alias_generators import to_camel

from atlas_access.base import ClusterAddresses, HeldRole, PrivateEndpoint
from atlas_access.clients.model import (
    PASSWORD,
    ObservedCluster,
    ObservedCredentials,
    ObservedEvent,
    ObservedRole,
    ObservedUser,
    Place,
    Scope,
)

_Name = Annotated[StrictStr, Field(min_length=1, max_length=2048)]
_Word = Annotated[StrictStr, BeforeValidator(lambda value: "" if value is None else value)]


def _list(value: object) -> object:
    return () if value is None else value


def _login_moment(value: object) -> object:
    """The access history writes `Fri Jan 10 18:24:30 GMT 2020` or ISO 8601, depending on its version."""
    if not isinstance(value, str):
        raise ValueError("no moment")  # noqa: TRY004 - what pydantic takes for a wrong value
    try:
        return datetime.strptime(value, "%a %b %d %H:%M:%S GMT %Y").replace(tzinfo=UTC)
    except ValueError:
        return value


class _Answer(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, hide_input_in_errors=True
    )


class RoleAnswer(_Answer):
    """A role that a user holds."""

    role_name: _Name
    database_name: _Name
    collection_name: _Word = ""


class ScopeAnswer(_Answer):
    """A scope of a user."""

    name: _Name
    type: _Name


class LabelAnswer(_Answer):
    """A label of a user."""

    key: _Word = ""
    value: _Word = ""


class UserAnswer(_Answer):
    """A database user."""

    username: _Name
    database_name: _Name
    group_id: _Name
    roles: Annotated[tuple[RoleAnswer, ...], BeforeValidator(_list)]
    scopes: Annotated[tuple[ScopeAnswer, ...], BeforeValidator(_list)] = ()
    x509_type: Annotated[_Word, Field(alias="x509Type")] = ""
    aws_iam_type: Annotated[_Word, Field(alias="awsIAMType")] = ""
    ldap_auth_type: _Word = ""
    oidc_auth_type: _Word = ""
    delete_after_date: AwareDatetime | None = None
    labels: Annotated[tuple[LabelAnswer, ...], BeforeValidator(_list)] = ()

    def observed(self) -> ObservedUser:
        """Return the user as the comparison wants it; any type but NONE is a sign-in by something else."""
        types = {
            "X.509": self.x509_type,
            "AWS IAM": self.aws_iam_type,
            "LDAP": self.ldap_auth_type,
            "OIDC": self.oidc_auth_type,
        }
        ways = [name for name, kind in types.items() if kind not in ("", "NONE")]
        return ObservedUser(
            name=self.username,
            auth_database=self.database_name,
            roles=frozenset(
                HeldRole(role.role_name, role.database_name, role.collection_name) for role in self.roles
            ),
            scopes=frozenset(Scope(scope.name, scope.type) for scope in self.scopes),
            sign_in=" and ".join(ways) or PASSWORD,
            delete_after=self.delete_after_date,
            labels=tuple((label.key, label.value) for label in self.labels),
        )


class ResourceAnswer(_Answer):
    """What an action is granted on."""

    cluster: StrictBool = False
    db: _Word = ""
    collection: _Word = ""

    def place(self) -> Place:
        """Return the place; Atlas ignores names beside `cluster: true`."""
        return Place("", "", cluster=True) if self.cluster else Place(self.db, self.collection)


class ActionAnswer(_Answer):
    """An action of a custom role."""

    action: _Name
    resources: Annotated[tuple[ResourceAnswer, ...], BeforeValidator(_list)]


class InheritedAnswer(_Answer):
    """A role that a custom role inherits."""

    db: _Name
    role: _Name


class CustomRoleAnswer(_Answer):
    """A custom role."""

    role_name: _Name
    actions: Annotated[tuple[ActionAnswer, ...], BeforeValidator(_list)] = ()
    inherited_roles: Annotated[tuple[InheritedAnswer, ...], BeforeValidator(_list)] = ()

    def observed(self) -> ObservedRole:
        """Return the role as the comparison wants it."""
        return ObservedRole(
            name=self.role_name,
            grants=frozenset(
                (action.action, resource.place()) for action in self.actions for resource in action.resources
            ),
            inherited=frozenset(HeldRole(role.role, role.db) for role in self.inherited_roles),
        )


class _EndpointAnswer(_Answer):
    connection_string: _Word = ""
    srv_connection_string: _Word = ""


class _StringsAnswer(_Answer):
    standard: _Word = ""
    standard_srv: _Word = ""
    private_endpoint: Annotated[tuple[_EndpointAnswer, ...], BeforeValidator(_list)] = ()


class ClusterAnswer(_Answer):
    """A cluster."""

    name: _Name
    group_id: _Name
    version: Annotated[_Name, Field(alias="mongoDBVersion")]
    connection_strings: Annotated[
        _StringsAnswer, BeforeValidator(lambda value: {} if value is None else value)
    ] = _StringsAnswer()

    def observed(self) -> ObservedCluster:
        """Return the cluster as the comparison wants it."""
        strings = self.connection_strings
        endpoints = tuple(
            PrivateEndpoint(each.connection_string, each.srv_connection_string)
            for each in strings.private_endpoint
        )
        addresses = ClusterAddresses(self.name, strings.standard, strings.standard_srv, endpoints)
        return ObservedCluster(self.name, self.version, len(endpoints), addresses)


class StatusAnswer(_Answer):
    """Whether a cluster has applied what was changed: PENDING or APPLIED."""

    change_status: _Name


class _RawAnswer(_Answer):
    description: _Word = ""


class LoginAnswer(_Answer):
    """A login of the access history."""

    username: _Word = ""
    group_id: _Word = ""
    timestamp: Annotated[
        AwareDatetime, BeforeValidator(_login_moment), AfterValidator(lambda at: at.astimezone(UTC))
    ]


class EventAnswer(_Answer):
    """An event of the project."""

    event_type_name: _Name
    created: Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]
    group_id: _Word = ""
    db_user_username: _Word = ""
    username: _Word = ""
    public_key: _Word = ""
    api_key_id: _Word = ""
    user_id: _Word = ""
    raw: _RawAnswer | None = None

    def observed(self) -> ObservedEvent:
        """Return the event as the attribution wants it."""
        at: datetime = self.created
        text = self.raw.description if self.raw is not None else ""
        return ObservedEvent(self.event_type_name, at, self.db_user_username, text, self._by())

    def _by(self) -> str:
        if self.public_key or self.api_key_id:
            return f'api key "{self.public_key or self.api_key_id}"'
        if self.username or self.user_id:
            return f'user "{self.username or self.user_id}"'
        return "Atlas itself"


class KeyRoleAnswer(_Answer):
    """A role of an API key, for a project or for the organization."""

    role_name: _Name
    group_id: _Word = ""


class KeyAnswer(_Answer):
    """The API key that signed the request."""

    roles: Annotated[tuple[KeyRoleAnswer, ...], BeforeValidator(_list)] = ()


class SystemStatusAnswer(_Answer):
    """The root of the API."""

    api_key: KeyAnswer

    def observed(self) -> ObservedCredentials:
        """Return the key's roles by project."""
        return ObservedCredentials(frozenset((each.role_name, each.group_id) for each in self.api_key.roles))


class ServiceSecretAnswer(_Answer):
    """A secret of a service account; its value is masked."""

    expires_at: AwareDatetime


class ServiceAccountAnswer(_Answer):
    """A service account as one project shows it."""

    roles: Annotated[tuple[_Name, ...], BeforeValidator(_list)] = ()
    secrets: Annotated[tuple[ServiceSecretAnswer, ...], BeforeValidator(_list)] = ()

    def observed(self, project: str) -> ObservedCredentials:
        """Return its roles in the project that was asked, and the last moment at which one of its secrets is valid."""
        ends = max((each.expires_at for each in self.secrets), default=None)
        return ObservedCredentials(frozenset((each, project) for each in self.roles), ends)
