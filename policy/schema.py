"""Checks a JSON value against the part of JSON Schema that the law's schema uses, and names every mistake's place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


def mistakes(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str = ""
) -> Iterator[str]:
    """Every place at which a value is not what the schema says; `root` holds the definitions."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    at, prefix, kind = where or "the file", f"{where}." if where else "", schema.get("type")
    if kind and type(value) is not _TYPES[kind]:
        yield f"{at}: has to be of type {kind}."
        return
    if value not in schema.get("enum", [value]):
        yield f"{at}: has to be one of {', '.join(map(str, schema['enum']))}."
    if isinstance(value, str) and re.search(schema.get("pattern", ""), value) is None:
        yield f"{at}: has to be a text of the form {schema['pattern']}."
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at}: has to be from {schema['minimum']} to {schema['maximum']}."
    for index, item in enumerate(value) if isinstance(value, list) else ():
        yield from mistakes(item, schema.get("items", {}), root, f"{where}[{index}]")
    known, more = schema.get("properties", {}), schema.get("additionalProperties", {})
    given = value if isinstance(value, dict) else {}
    yield from (f"{prefix}{key}: is missing." for key in schema.get("required", ()) if key not in given)
    for key, item in given.items():
        if key not in known and more is False:
            yield f"{prefix}{key}: is unknown. Known: {', '.join(known)}."
        else:
            yield from mistakes(item, known.get(key, more), root, f"{prefix}{key}")
