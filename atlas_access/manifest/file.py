"""The shape of `access.yaml`: keys, types and forms, part by part.

For: one set of declarations from which atlas_access.manifest.shape finds mistakes of form and editors get a JSON
Schema. Never: decides whether names fit together (atlas_access.manifest.checks does).
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from atlas_access.privileges import ATLAS_ACTIONS, ActionScope

VERSION = 1
"""The newest version of the file that this tool understands."""

LONGEST_RETENTION_DAYS = 24_855
"""A TTL index holds at most 2,147,483,647 seconds (MongoDB manual, expireAfterSeconds)."""

NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"
COLLECTION_NAME = r"^[A-Za-z_][A-Za-z0-9_.-]{0,119}$"
FIELD_NAME = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
ENVIRONMENT_NAME = r"^[a-z][a-z0-9-]{0,30}$"
VARIABLE_NAME = r"^[A-Z][A-Z0-9_]{0,127}$"
ROLE_TEXT = r"^[A-Za-z][A-Za-z0-9_-]*(@[A-Za-z][A-Za-z0-9_-]*)?$"
SECRET_TEMPLATE = r"^\{env\}/mongodb/[a-z0-9]+(-[a-z0-9]+)*$"  # noqa: S105 - a pattern of names
SECRET_NAME = r"^[a-z][a-z0-9-]*/mongodb/[a-z0-9]+(-[a-z0-9]+)*$"  # noqa: S105 - a pattern of names
ADR = r"^ADR [0-9]{4}$"

Name = Annotated[str, Field(pattern=NAME)]
CollectionName = Annotated[str, Field(pattern=COLLECTION_NAME)]
EnvironmentName = Annotated[str, Field(pattern=ENVIRONMENT_NAME)]
VariableName = Annotated[str, Field(pattern=VARIABLE_NAME)]
RoleText = Annotated[str, Field(pattern=ROLE_TEXT)]
SecretTemplate = Annotated[str, Field(pattern=SECRET_TEMPLATE)]
SecretName = Annotated[str, Field(pattern=SECRET_NAME)]


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


RoleTexts = Annotated[
    tuple[RoleText, ...],
    BeforeValidator(_one_or_more),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": ROLE_TEXT},
                {"type": "array", "items": {"type": "string", "pattern": ROLE_TEXT}, "minItems": 1},
            ]
        }
    ),
]


class Entry(BaseModel):
    """A part of the file; unknown keys are errors and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RetentionEntry(Entry):
    """The only time after which the server may erase rows of the audit log, by a TTL index on this field alone."""

    field: Annotated[str, Field(pattern=FIELD_NAME)]
    days: int = Field(ge=1, le=LONGEST_RETENTION_DAYS)


class AuditEntry(Entry):
    """Where the append-only audit log lives, and how long it keeps its rows: for ever where nothing is said."""

    database: Name
    collection: CollectionName
    retention: RetentionEntry | None = None


class CollectionEntry(Entry):
    """A collection's data class, the clusters it lives on, and whether it may be absent there."""

    data_class: Literal["public", "pii", "phi"] = Field(alias="class")
    on: tuple[EnvironmentName, ...] = Field(min_length=1)
    may_be_absent: bool = False


class UserEntry(Entry):
    """A user's role (`read@askflorence`, or a custom role's name; a list of them where it needs two) and secret."""

    role: RoleTexts
    secret: SecretTemplate


class AdoptedEntry(Entry):
    """What exists already and is taken over by explicit import."""

    users: tuple[Name, ...] = ()
    roles: tuple[Name, ...] = ()
    secrets: tuple[SecretTemplate, ...] = ()


class PlaceEntry(Entry):
    """For one environment: whose cluster is meant, and by which address."""

    cluster: EnvironmentName | None = None
    address: Literal["public", "private"] = "public"


class BindingEntry(Entry):
    """Whose credential a variable carries; keys named after environments say where it differs."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: dict[str, PlaceEntry]

    user: Name
    secret: SecretTemplate | None = None


class BindingsEntry(Entry):
    """Bindings by consumer."""

    service: dict[VariableName, BindingEntry] = Field(default_factory=dict)
    schema_task: dict[VariableName, BindingEntry] = Field(default_factory=dict)
    local: dict[VariableName, BindingEntry] = Field(default_factory=dict)

    def each(self) -> Iterator[tuple[str, str, BindingEntry]]:
        """Yield consumer, variable and entry of every binding, in the file's order within each consumer."""
        for consumer, entries in (
            ("service", self.service),
            ("schema_task", self.schema_task),
            ("local", self.local),
        ):
            for variable, entry in entries.items():
                yield consumer, variable, entry


class WaiverEntry(Entry):
    """A finding that a decision record accepts."""

    user: Name
    on: Literal["audit", "database"]
    permits: tuple[str, ...] = Field(
        min_length=1, json_schema_extra={"items": {"enum": list[JsonValue](sorted(ATLAS_ACTIONS))}}
    )
    adr: Annotated[str, Field(pattern=ADR)]
    reason: str = Field(min_length=10, max_length=400)


class LegacySecretEntry(Entry):
    """A legacy secret, the variable bound to it, and whose account owns it when not the user's own environment's."""

    name: SecretName
    variable: VariableName
    environment: EnvironmentName | None = None


class LegacyUserEntry(Entry):
    """A user to be retired."""

    role: RoleText
    successor: Name
    secrets: tuple[LegacySecretEntry, ...] = Field(min_length=1)


class LegacyEntry(Entry):
    """One environment's legacy users."""

    users: dict[Name, LegacyUserEntry] = Field(default_factory=dict)


_GRANTABLE: list[JsonValue] = [
    name for name, action in sorted(ATLAS_ACTIONS.items()) if action.scope is ActionScope.COLLECTION
]

RoleEntry = Annotated[
    dict[str, Annotated[tuple[CollectionName, ...], Field(min_length=1)]],
    Field(min_length=1, json_schema_extra={"propertyNames": {"enum": _GRANTABLE}}),
]


class ManifestFile(Entry):
    """Who may do what in MongoDB, and which task receives which credential (ADR 0006)."""

    version: Literal[1]
    database: Name
    environments: tuple[EnvironmentName, ...] = Field(min_length=1)
    audit: AuditEntry
    collections: dict[CollectionName, CollectionEntry] = Field(min_length=1)
    read_across: tuple[CollectionName, ...] = ()
    roles: dict[Name, RoleEntry] = Field(default_factory=dict)
    users: dict[Name, UserEntry] = Field(min_length=1)
    adopted: AdoptedEntry = AdoptedEntry()
    bindings: BindingsEntry
    deprecated_variables: dict[VariableName, VariableName] = Field(default_factory=dict)
    waivers: dict[Name, WaiverEntry] = Field(default_factory=dict)
    legacy: dict[EnvironmentName, LegacyEntry] = Field(default_factory=dict)


def file_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the file."""
    schema = ManifestFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
