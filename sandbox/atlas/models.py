"""A project's records in the Admin API's JSON shapes (schemas CloudDatabaseUser, UserCustomDBRole).

Reading a body turns each mistake into Atlas's error for it, without quoting the body. Only `NewUser` and `UserPatch`
hold passwords, for the duration of their request.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from sandbox.atlas.errors import AtlasError


def timestamp(moment: datetime) -> str:
    """Write a moment as the API does: ISO 8601, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _in_utc(moment: datetime) -> datetime:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None


Moment = Annotated[datetime, AfterValidator(_in_utc), PlainSerializer(timestamp, when_used="json")]


class Record(BaseModel):
    """A frozen record whose JSON names are camel case and which takes no other name."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Read a request's body; raises `AtlasError` naming the first attribute that is wrong."""
        try:
            return cls.model_validate_json(body, strict=True)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _refusal(first["type"], where)

    def json_object(self) -> dict[str, Any]:
        """Return the record as the API writes it; what is absent is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


AnyRecord = TypeVar("AnyRecord", bound=Record)
_REFUSALS = {
    "extra_forbidden": "INVALID_ATTRIBUTE",
    "missing": "MISSING_ATTRIBUTE",
    "literal_error": "INVALID_ENUM_VALUE",
}


def _refusal(kind: str, where: str) -> AtlasError:
    if kind == "json_invalid":
        return AtlasError("MALFORMED_JSON")
    if kind.startswith(("string_too", "string_pattern")):
        return AtlasError("VALIDATION_ERROR", f"the length or form of {where}")
    return AtlasError(_REFUSALS.get(kind, "INVALID_JSON_ATTRIBUTE"), where or "body")


class RoleGrant(Record):
    """A role of a user: built-in on a database (and perhaps one collection), or custom at admin."""

    role_name: str = Field(min_length=1)
    database_name: str = Field(min_length=1)
    collection_name: str | None = None

    def __str__(self) -> str:
        return f"{self.role_name}@{self.database_name}" + (
            f".{self.collection_name}" if self.collection_name else ""
        )


class Scope(Record):
    """A cluster (or lake, or stream) that a user may reach; none at all means every one of the project."""

    name: str = Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]*$")
    type: Literal["CLUSTER", "DATA_LAKE", "STREAM"]


class Label(Record):
    """A key and a value for tagging."""

    key: str = Field(min_length=1, max_length=255)
    value: str = Field(min_length=1, max_length=255)


class DatabaseUser(Record):
    """A database user as the API shows it: everything but the password."""

    username: str = Field(min_length=1, max_length=1024)
    database_name: Literal["admin", "$external"] = "admin"
    group_id: str = ""
    roles: tuple[RoleGrant, ...]
    scopes: tuple[Scope, ...] = ()
    labels: tuple[Label, ...] = ()
    aws_iam_type: Literal["NONE", "USER", "ROLE"] = Field(default="NONE", alias="awsIAMType")
    ldap_auth_type: Literal["NONE", "GROUP", "USER"] = "NONE"
    oidc_auth_type: Literal["NONE", "IDP_GROUP", "USER"] = "NONE"
    x509_type: Literal["NONE", "CUSTOMER", "MANAGED"] = Field(default="NONE", alias="x509Type")
    description: str | None = Field(default=None, max_length=100)
    delete_after_date: Moment | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What identifies a user within a project."""
        return (self.database_name, self.username)

    @property
    def sign_in(self) -> tuple[str, str, str, str]:
        """The four types of external sign-in; a password user has NONE in all."""
        return (self.aws_iam_type, self.ldap_auth_type, self.oidc_auth_type, self.x509_type)

    @property
    def by_password(self) -> bool:
        """Whether the user signs in with SCRAM."""
        return set(self.sign_in) == {"NONE"}

    def reaches(self, cluster: str) -> bool:
        """Whether the user's scopes include the cluster."""
        return not self.scopes or any(s.type == "CLUSTER" and s.name == cluster for s in self.scopes)


class NewUser(DatabaseUser):
    """The body that makes a user."""

    database_name: Literal["admin", "$external"]
    group_id: str
    password: SecretStr | None = None

    def record(self) -> DatabaseUser:
        """Return the user without the password."""
        return DatabaseUser.model_construct(
            **{name: getattr(self, name) for name in DatabaseUser.model_fields}
        )


class UserPatch(Record):
    """The body that changes a user: what is absent stays as it is."""

    username: str | None = None
    database_name: str | None = None
    group_id: str | None = None
    password: SecretStr | None = None
    roles: tuple[RoleGrant, ...] | None = None
    scopes: tuple[Scope, ...] | None = None
    labels: tuple[Label, ...] | None = None
    aws_iam_type: Literal["NONE", "USER", "ROLE"] | None = Field(default=None, alias="awsIAMType")
    ldap_auth_type: Literal["NONE", "GROUP", "USER"] | None = None
    oidc_auth_type: Literal["NONE", "IDP_GROUP", "USER"] | None = None
    x509_type: Literal["NONE", "CUSTOMER", "MANAGED"] | None = Field(default=None, alias="x509Type")
    description: str | None = Field(default=None, max_length=100)
    delete_after_date: Moment | None = None


class Resource(Record):
    """An action's resource: the cluster, or a database and collection ("" for all). A body must name one of the two."""

    cluster: bool = False
    db: str = ""
    collection: str = ""


class Action(Record):
    """An action of a custom role with its resources."""

    action: str
    resources: tuple[Resource, ...] = ()


class InheritedRole(Record):
    """A role that a custom role inherits."""

    db: str
    role: str


class RolePatch(Record):
    """The body that changes a custom role: what is absent stays as it is."""

    actions: tuple[Action, ...] | None = None
    inherited_roles: tuple[InheritedRole, ...] | None = None


class CustomRole(Record):
    """A custom role."""

    role_name: str
    actions: tuple[Action, ...] = ()
    inherited_roles: tuple[InheritedRole, ...] = ()


def patched(record: AnyRecord, patch: Record) -> AnyRecord:
    """Return the record with what the patch names put in place of what was there."""
    changes: Mapping[str, Any] = {
        name: getattr(patch, name)
        for name in patch.model_fields_set & set(type(record).model_fields)
        if getattr(patch, name) is not None
    }
    return record.model_copy(update=dict(changes))
