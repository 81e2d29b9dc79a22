"""Property maps as the providers write them: absent properties left out."""

from collections.abc import Mapping
from typing import Any

from sandbox.engine import values
from sandbox.engine.values import Properties, Secret, Value


def to_struct(properties: Mapping[str, Value]) -> Any:
    """Write a property map; absent (None) properties are left out, at every depth."""
    return values.to_struct(values.mapped(dict(properties), _present))


def _present(value: Value) -> Value:
    if isinstance(value, Secret):
        return Secret(values.mapped(value.element, _present))
    if isinstance(value, dict):
        return {name: element for name, element in value.items() if element is not None}
    return value


def annotate(outputs: Properties, like: Mapping[str, Value]) -> Properties:
    """Mark in `outputs` what is secret in `like`, as the engine does; what is absent stays so."""
    return values.annotate_secrets(values.mapped(outputs, _present), like)
