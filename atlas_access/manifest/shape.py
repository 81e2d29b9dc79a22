"""Mistakes of form in a manifest, said in words.

For: holding the data of a file against the declarations of atlas_access.manifest.file, and leaving out what is broken
so that the rest can still be checked for sense. Never: repeats a value that could be a secret.
"""

from typing import Any

from pydantic import BaseModel, ValidationError

from atlas_access.base import Path, Plain, shown, suggestion
from atlas_access.manifest.file import (
    ADR,
    COLLECTION_NAME,
    ENVIRONMENT_NAME,
    FIELD_NAME,
    LONGEST_RETENTION_DAYS,
    NAME,
    ROLE_TEXT,
    SECRET_NAME,
    SECRET_TEMPLATE,
    VARIABLE_NAME,
    AdoptedEntry,
    AuditEntry,
    BindingEntry,
    BindingsEntry,
    CollectionEntry,
    LegacyEntry,
    LegacySecretEntry,
    LegacyUserEntry,
    ManifestFile,
    PlaceEntry,
    RetentionEntry,
    UserEntry,
    WaiverEntry,
)

_FORMS: dict[str, tuple[str, str]] = {
    NAME: ("not a name", "Use letters, digits, _ and -, starting with a letter."),
    COLLECTION_NAME: (
        "not a collection's name",
        "Use the collection's own name; system.* cannot be granted.",
    ),
    FIELD_NAME: ("not a field's name", "Name the field that says when a row was written, such as at."),
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
    if kind in ("int_type", "greater_than_equal", "less_than_equal"):
        return path, "not a number of days", f"Write a whole number from 1 to {LONGEST_RETENTION_DAYS}."
    if kind in ("string_too_short", "string_too_long"):
        return path, "too short or too long to be a reason", "Write one sentence that a reviewer understands."
    problem, remedy = _TYPES.get(kind, ("not of the form that belongs here", "See access.schema.json."))
    return path, problem, remedy


_KEYS: dict[tuple[str, ...], type[BaseModel]] = {
    (): ManifestFile,
    ("audit",): AuditEntry,
    ("audit", "retention"): RetentionEntry,
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
