"""Checks a JSON value against the part of JSON Schema that the law's schema uses, and names every mistake's place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}


def mistakes(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str = ""
) -> Iterator[str]:
    """Every place at which a value is not what the schema says; `root` holds the definitions."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    at = where or "the file"
    kind = schema.get("type")
    if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{at}: has to be of type {kind}."
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: has to be one of {', '.join(map(str, schema['enum']))}."
    if isinstance(value, str) and re.search(schema.get("pattern", ""), value) is None:
        yield f"{at}: has to be a text of the form {schema['pattern']}."
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at}: has to be from {schema['minimum']} to {schema['maximum']}."
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from mistakes(item, schema.get("items", {}), root, f"{where}[{index}]")
    if isinstance(value, dict):
        yield from _of_object(value, schema, root, where)


def _of_object(
    value: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], where: str
) -> Iterator[str]:
    prefix = f"{where}." if where else ""
    known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{prefix}{key}: is missing."
    for key, item in value.items():
        if key in known:
            yield from mistakes(item, known[key], root, f"{prefix}{key}")
        elif more is False:
            yield f"{prefix}{key}: is unknown. Known: {', '.join(known)}."
        elif isinstance(more, dict):
            yield from mistakes(item, more, root, f"{prefix}{key}")
