"""The shape of `access.yaml`: keys, types and forms, part by part.

Editors get a JSON Schema from it. What one part can decide alone is a validator here; what fits together, in checks.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from atlas_access.manifest.forms import (
    CollectionKey,
    CollectionName,
    Collections,
    Database,
    Days,
    DecisionRecord,
    EnvironmentName,
    Environments,
    FieldName,
    Name,
    Reason,
    RoleText,
    RoleTexts,
    SecretName,
    SecretTemplate,
    SomeCollections,
    UnnamedAction,
    VariableName,
    grantable,
    grantable_collection,
    known_action,
    legacy_role,
    own_role,
)
from atlas_access.manifest.shape import Version, listed_once
from atlas_access.privileges import ATLAS_ACTIONS, ActionScope


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
    """A collection's data class, the clusters it lives on, and whether it may be absent there.

    A family of views (`agent_{npn}`) names the collection that they show and the field that each filters by.
    """

    data_class: Literal["public", "pii", "phi"] = Field(alias="class")
    on: Environments
    may_be_absent: bool = False
    views_of: CollectionName | None = None
    filter: FieldName | None = None


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
        tuple[Annotated[str, AfterValidator(known_action)], ...],
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

    role: Annotated[RoleText, AfterValidator(legacy_role)]
    successor: Name
    secrets: tuple[LegacySecretEntry, ...] = Field(min_length=1)


class LegacyEntry(Entry):
    """One environment's legacy users."""

    users: dict[Name, LegacyUserEntry] = Field(default_factory=dict)


_GRANTABLE: list[JsonValue] = [
    name for name, action in sorted(ATLAS_ACTIONS.items()) if action.scope is ActionScope.COLLECTION
]

RoleEntry = Annotated[
    dict[Annotated[str, AfterValidator(grantable)], SomeCollections],
    Field(min_length=1, json_schema_extra={"propertyNames": {"enum": _GRANTABLE}}),
]


class ManifestFile(Entry):
    """Who may do what in MongoDB, and which task receives which credential (ADR 0006)."""

    version: Version
    database: Database
    environments: Environments
    local_environment: EnvironmentName | None = None
    audit: AuditEntry
    collections: dict[Annotated[CollectionKey, AfterValidator(grantable_collection)], CollectionEntry] = (
        Field(min_length=1)
    )
    read_across: Collections = ()
    user_cap: int = Field(default=5, ge=1, le=100)
    rotation: dict[Name, Annotated[int, Field(ge=1, le=3650)]] = Field(default_factory=dict)
    roles: dict[Annotated[Name, AfterValidator(own_role)], RoleEntry] = Field(default_factory=dict)
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
