"""The shape of `access.yaml`: keys, types and forms, part by part.

For: finding every mistake of form at once, and giving editors a JSON Schema made from the same declarations.
Never: decides whether names fit together (access.manifest_checks does).
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError, WithJsonSchema

from access.actions import ATLAS_ACTIONS, ActionScope
from access.manifest_errors import shown, suggestion
from access.manifest_yaml import Path, Plain

VERSION = 1
"""The newest version of the file that this tool understands."""

NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"
COLLECTION_NAME = r"^[A-Za-z_][A-Za-z0-9_.-]{0,119}$"
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


class AuditEntry(Entry):
    """Where the append-only audit log lives."""

    database: Name
    collection: CollectionName


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


_FORMS: dict[str, tuple[str, str]] = {
    NAME: ("not a name", "Use letters, digits, _ and -, starting with a letter."),
    COLLECTION_NAME: (
        "not a collection's name",
        "Use the collection's own name; system.* cannot be granted.",
    ),
    ENVIRONMENT_NAME: ("not an environment's name", "Use lower-case letters, such as staging."),
    VARIABLE_NAME: ("not a variable's name", "Use capitals, digits and _, such as MONGODB_URI."),
    ROLE_TEXT: (
        "not a role",
        "Write a custom role's name, or a built-in role with its database: read@askflorence.",
    ),
    SECRET_TEMPLATE: (
        "outside {env}/mongodb/…",
        'Name it like "{env}/mongodb/app-read-v2": lower-case words and dashes after the prefix.',
    ),
    SECRET_NAME: (
        "not a secret's name",
        "Name it as it is in Secrets Manager, like staging/mongodb/app-read.",
    ),
    ADR: ("no decision record", 'Name the record that accepts this, like "ADR 0006".'),
}

_TYPES = {
    "string_type": ("not a text", "Write a word, in quotes if it looks like a number."),
    "tuple_type": ("not a list", "Write a list: [one, two]."),
    "bool_type": ("neither true nor false", "Write true or false."),
    "dict_type": ("not a mapping", "Write key: value lines below it."),
    "model_type": ("not a mapping", "Write key: value lines below it."),
    "model_attributes_type": ("not a mapping", "Write key: value lines below it."),
}

Mistake = tuple[Path, str, str]
"""Path, problem and remedy of one mistake."""

_DEPTH = {
    "collections": 2,
    "roles": 2,
    "users": 2,
    "waivers": 2,
    "deprecated_variables": 2,
    "bindings": 3,
    "legacy": 4,
}


def check_shape(data: dict[str, Plain]) -> tuple[ManifestFile | None, list[Mistake]]:
    """Check the form of every part.

    Returns the file with its broken entries left out, so that the rest can still be checked for sense, and all
    mistakes of form. The file is None only when a part is broken that the rest cannot do without.
    """
    mistakes: list[Mistake] = []
    for _ in range(3):
        try:
            return ManifestFile.model_validate(data), mistakes
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=True, include_input=True)
        if not mistakes:
            mistakes.extend(_mistake(item) for item in found if not _only_below(item, found))
        for item in found:
            data = _without(data, _path(item)[: _DEPTH.get(str(item["loc"][0]), 1) if item["loc"] else 0])
    return None, mistakes


def _only_below(item: Any, found: list[Any]) -> bool:
    """Whether a part counts as empty only because everything in it is wrong, which is told already."""
    path = item["loc"]
    return item["type"] == "too_short" and any(
        len(other["loc"]) > len(path) and other["loc"][: len(path)] == path for other in found
    )


def _path(item: Any) -> Path:
    path = tuple(part for part in item["loc"] if part != "[key]")
    return tuple("class" if part == "data_class" else part for part in path)


def _mistake(item: Any) -> Mistake:
    path, kind, context = _path(item), str(item["type"]), item.get("ctx", {})
    last = path[-1] if path else ""
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1])
        hint = suggestion(str(last), known) or (f" Known here: {', '.join(known)}." if known else "")
        return path, f"unknown key {shown(last)}", f"Remove it.{hint}"
    if kind == "missing":
        return path, f"{shown(last)} is missing", "Add it."
    if kind == "string_pattern_mismatch":
        problem, remedy = _FORMS[context["pattern"]]
        return path, f"{shown(item['input'])} is {problem}", remedy
    if kind == "literal_error":
        return path, f"{shown(item['input'])} is not allowed here", f"Write one of: {context['expected']}."
    if kind == "too_short":
        what = "names no collection" if path[:1] == ("roles",) and len(path) == 3 else "is empty"
        return path, what, "Name at least one, or remove the entry."
    if kind in ("string_too_short", "string_too_long"):
        return path, "too short or too long to be a reason", "Write one sentence that a reviewer understands."
    problem, remedy = _TYPES.get(kind, ("not of the form that belongs here", "See access.schema.json."))
    return path, problem, remedy


_KEYS: dict[tuple[str, ...], type[BaseModel]] = {
    (): ManifestFile,
    ("audit",): AuditEntry,
    ("adopted",): AdoptedEntry,
    ("bindings",): BindingsEntry,
    ("collections", "*"): CollectionEntry,
    ("users", "*"): UserEntry,
    ("bindings", "*", "*"): BindingEntry,
    ("bindings", "*", "*", "*"): PlaceEntry,
    ("waivers", "*"): WaiverEntry,
    ("legacy", "*"): LegacyEntry,
    ("legacy", "*", "users", "*"): LegacyUserEntry,
    ("legacy", "*", "users", "*", "secrets", "*"): LegacySecretEntry,
}


def _known_keys(path: Path) -> tuple[str, ...]:
    for pattern, model in _KEYS.items():
        if len(pattern) == len(path) and all(p in ("*", part) for p, part in zip(pattern, path, strict=True)):
            return tuple(field.alias or name for name, field in model.model_fields.items())
    return ()


def _without(data: dict[str, Plain], path: Path) -> dict[str, Plain]:
    """Return data without the part at path; a missing part that others need is filled with an empty one."""
    if not path:
        return data
    head, rest = str(path[0]), path[1:]
    below = data.get(head)
    if rest and isinstance(below, dict):
        return {**data, head: _without(below, rest)}
    return {key: value for key, value in data.items() if key != head}
