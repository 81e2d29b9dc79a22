"""The shape of `access.yaml`: keys, types and forms, part by part.

Editors get a JSON Schema from it. What one part can decide alone is a validator here; what fits together, in checks.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from atlas_access.base import shown, suggestion
from atlas_access.manifest.shape import WILDCARD, Version, form, listed_once, unnamed, wrong
from atlas_access.privileges import ATLAS_ACTIONS, BUILTIN_ROLES, ActionScope

LONGEST_RETENTION_DAYS = 24_855
"""A TTL index holds at most 2,147,483,647 seconds (MongoDB manual, expireAfterSeconds)."""


def _no_machine(name: str) -> str:
    if name == "local":
        raise wrong(
            '"local" is a developer\'s machine', "Remove it: local_environment names whose cluster it uses."
        )
    return name


ROLE_TEXT = r"^[A-Za-z][A-Za-z0-9_-]*(@[A-Za-z][A-Za-z0-9_-]*)?$"

Name = Annotated[
    str,
    Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"),
    form("not a name", "Use letters, digits, _ and -, starting with a letter."),
]
CollectionName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,119}$"),
    form("not a collection's name", "Use the collection's own name; system.* cannot be granted."),
]
FieldName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"),
    form("not a field's name", "Name the field that says when a row was written, such as at."),
]
EnvironmentName = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9-]{0,30}$"),
    form("not an environment's name", "Use lower-case letters, such as staging."),
    AfterValidator(_no_machine),
]
VariableName = Annotated[
    str,
    Field(pattern=r"^[A-Z][A-Z0-9_]{0,127}$"),
    form("not a variable's name", "Use capitals, digits and _, such as MONGODB_URI."),
]
RoleText = Annotated[
    str,
    Field(pattern=ROLE_TEXT),
    form("not a role", "Write a custom role's name, or a built-in role with its database: read@shop."),
]
SecretTemplate = Annotated[
    str,
    Field(pattern=r"^\{env\}/mongodb/[a-z0-9]+(-[a-z0-9]+)*$"),
    form(
        "outside {env}/mongodb/…",
        'Name it like "{env}/mongodb/app-read-v2": lower-case words and dashes after the prefix.',
    ),
]
SecretName = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9-]*/mongodb/[a-z0-9]+(-[a-z0-9]+)*$"),
    form("not a secret's name", "Name it as it is in Secrets Manager, like staging/mongodb/app-read."),
]
DecisionRecord = Annotated[
    str,
    Field(pattern=r"^ADR [0-9]{4}$"),
    form("no decision record", 'Name the record that accepts this, like "ADR 0006".'),
]
Days = Annotated[
    int,
    Field(ge=1, le=LONGEST_RETENTION_DAYS),
    form("not a number of days", f"Write a whole number from 1 to {LONGEST_RETENTION_DAYS}."),
]
Reason = Annotated[
    str,
    Field(min_length=10, max_length=400),
    form("too short or too long to be a reason", "Write one sentence that a reviewer understands."),
]
Environments = Annotated[tuple[EnvironmentName, ...], Field(min_length=1), AfterValidator(listed_once)]
UnnamedAction = Annotated[Name, AfterValidator(unnamed)]
Collections = Annotated[tuple[CollectionName, ...], AfterValidator(listed_once)]
SomeCollections = Annotated[tuple[CollectionName, ...], Field(min_length=1), AfterValidator(listed_once)]


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


RoleTexts = Annotated[
    tuple[RoleText, ...],
    BeforeValidator(_one_or_more),
    Field(min_length=1),
    AfterValidator(listed_once),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": ROLE_TEXT},
                {"type": "array", "items": {"type": "string", "pattern": ROLE_TEXT}, "minItems": 1},
            ]
        }
    ),
]


def _action(name: str) -> str:
    if "*" in name:
        raise wrong(*WILDCARD)
    if name not in ATLAS_ACTIONS:
        remedy = (
            f"Use an action of Atlas custom roles, such as FIND.{suggestion(name.upper(), ATLAS_ACTIONS)}"
        )
        raise wrong(f"{shown(name)} is no Atlas action", remedy)
    return name


def _grantable(name: str) -> str:
    """An action on collections: the only scope of an application's role (ADR 0006)."""
    action = ATLAS_ACTIONS[_action(name)]
    if action.scope is ActionScope.ELSEWHERE:
        raise wrong(f"{name} has no effect here: {action.absent_because}", "Remove it.")
    if action.scope is not ActionScope.COLLECTION:
        remedy = "Remove it: an application's role acts on named collections only (ADR 0006)."
        raise wrong(f"{name} acts on the whole {action.scope}, not on collections", remedy)
    return name


def _grantable_collection(name: str) -> str:
    if name.startswith("system."):
        raise wrong("a system collection", "Remove it: nobody is granted system.* by name.")
    return name


def _own_role(name: str) -> str:
    if name in BUILTIN_ROLES:
        raise wrong(f"{shown(name)} is a built-in role's name", "Choose another, such as role_audit_writer.")
    return name


def _own_database(name: str) -> str:
    if name in ("admin", "local", "config"):
        raise wrong("a database of the server itself", "Name a database of the application.")
    return name


def _legacy_role(text: str) -> str:
    if text in BUILTIN_ROLES:
        raise wrong(f"the built-in role {text} needs its database", f"Write {text}@ and the database's name.")
    return text


Database = Annotated[Name, AfterValidator(_own_database)]


class Entry(BaseModel):
    """A part of the file; unknown keys are errors and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RetentionEntry(Entry):
    """The only time after which the server may erase rows of the audit log, by a TTL index on this field alone."""

    field: FieldName
    days: Days


class AuditEntry(Entry):
    """Where the append-only audit log lives, its retention, and whether a validator refuses rows by decision."""

    database: Database
    collection: CollectionName
    retention: RetentionEntry | None = None
    validator: bool = False


class CollectionEntry(Entry):
    """A collection's data class, the clusters it lives on, and whether it may be absent there."""

    data_class: Literal["public", "pii", "phi"] = Field(alias="class")
    on: Environments
    may_be_absent: bool = False


class UserEntry(Entry):
    """A user's role (`read@shop`, or a custom role's name; a list of them where it needs two) and secret."""

    role: RoleTexts
    secret: SecretTemplate


class AdoptedEntry(Entry):
    """What exists already and is taken over by explicit import."""

    users: Annotated[tuple[Name, ...], AfterValidator(listed_once)] = ()
    roles: Annotated[tuple[Name, ...], AfterValidator(listed_once)] = ()
    secrets: Annotated[tuple[SecretTemplate, ...], AfterValidator(listed_once)] = ()


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

    def places(self) -> dict[str, PlaceEntry]:
        """Return what the binding says for single environments."""
        return self.__pydantic_extra__ or {}

    def place_in(self, environment: str) -> tuple[str, Literal["public", "private"]]:
        """Return the cluster and the address that are meant in an environment."""
        place = self.places().get(environment, PlaceEntry())
        return place.cluster or environment, place.address


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
    permits: Annotated[
        tuple[Annotated[str, AfterValidator(_action)], ...],
        Field(min_length=1, json_schema_extra={"items": {"enum": list[JsonValue](sorted(ATLAS_ACTIONS))}}),
        AfterValidator(listed_once),
    ]
    adr: DecisionRecord
    reason: Reason


class AcceptedActionEntry(Entry):
    """An action of a newer server that no table of this tool names, and that a decision record calls harmless."""

    adr: DecisionRecord
    reason: Reason


class LegacySecretEntry(Entry):
    """A legacy secret, the variable bound to it, and whose account owns it when not the user's own environment's."""

    name: SecretName
    variable: VariableName
    environment: EnvironmentName | None = None


class LegacyUserEntry(Entry):
    """A user to be retired."""

    role: Annotated[RoleText, AfterValidator(_legacy_role)]
    successor: Name
    secrets: tuple[LegacySecretEntry, ...] = Field(min_length=1)


class LegacyEntry(Entry):
    """One environment's legacy users."""

    users: dict[Name, LegacyUserEntry] = Field(default_factory=dict)


_GRANTABLE: list[JsonValue] = [
    name for name, action in sorted(ATLAS_ACTIONS.items()) if action.scope is ActionScope.COLLECTION
]

RoleEntry = Annotated[
    dict[Annotated[str, AfterValidator(_grantable)], SomeCollections],
    Field(min_length=1, json_schema_extra={"propertyNames": {"enum": _GRANTABLE}}),
]


class ManifestFile(Entry):
    """Who may do what in MongoDB, and which task receives which credential (ADR 0006)."""

    version: Version
    database: Database
    environments: Environments
    local_environment: EnvironmentName | None = None
    audit: AuditEntry
    collections: dict[Annotated[CollectionName, AfterValidator(_grantable_collection)], CollectionEntry] = (
        Field(min_length=1)
    )
    read_across: Collections = ()
    user_cap: int = Field(default=5, ge=1, le=100)
    rotation: dict[Name, Annotated[int, Field(ge=1, le=3650)]] = Field(default_factory=dict)
    roles: dict[Annotated[Name, AfterValidator(_own_role)], RoleEntry] = Field(default_factory=dict)
    users: dict[Name, UserEntry] = Field(min_length=1)
    adopted: AdoptedEntry = AdoptedEntry()
    bindings: BindingsEntry
    deprecated_variables: dict[VariableName, VariableName] = Field(default_factory=dict)
    waivers: dict[Name, WaiverEntry] = Field(default_factory=dict)
    accepted_actions: dict[UnnamedAction, AcceptedActionEntry] = Field(default_factory=dict)
    legacy: dict[EnvironmentName, LegacyEntry] = Field(default_factory=dict)

    @property
    def local_home(self) -> str | None:
        """The environment whose credentials the local bindings name: the one that is written, or the only one."""
        only = self.environments[0] if len(self.environments) == 1 else None
        return self.local_environment or only

    @property
    def crossings(self) -> dict[str, tuple[str, ...]]:
        """By environment whose cluster a binding of another one names: those other ones."""
        found: dict[str, dict[str, None]] = {}
        for _, _, entry in self.bindings.each():
            for environment, place in entry.places().items():
                if place.cluster not in (None, environment):
                    found.setdefault(str(place.cluster), {})[environment] = None
        return {cluster: tuple(readers) for cluster, readers in found.items()}


def file_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the file."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft} | ManifestFile.model_json_schema(by_alias=True)
