"""Property maps as the providers read and write them: references resolved, absent properties left out.

What a value may be is told by `sandbox.values`. Must never turn a value into text for people: values may be secret.
"""

from collections.abc import Mapping
from typing import Any

from sandbox import values
from sandbox.values import UNKNOWN, Properties, Reference, Secret, Value


def from_struct(struct: Any) -> Properties:
    """Read a property map; a reference to a resource becomes its id, or the URN of a component."""
    return {name: values.mapped(value, _resolved) for name, value in values.from_struct(struct).items()}


def _resolved(value: Value) -> Value:
    if isinstance(value, Secret):
        return Secret(values.mapped(value.element, _resolved))
    if isinstance(value, Reference):
        return UNKNOWN if value.id is UNKNOWN else value.id or value.urn
    return value


def to_struct(properties: Mapping[str, Value]) -> Any:
    """Write a property map; absent (None) properties are left out."""
    return values.to_struct(
        {name: value for name, value in properties.items() if values.bare(value) is not None}
    )
