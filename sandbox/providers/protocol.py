"""Property values as the Pulumi protocol carries them, and as Python.

Reads and writes the `google.protobuf.Struct` messages of the resource provider protocol: unknown values, secrets,
output values and resource references have signatures of their own there (Pulumi's "property values" wire format).
Must never turn a value into text for people: values may be secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeAlias

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

Value: TypeAlias = Any
"""None, bool, int, float, str, list, dict with string keys, UNKNOWN or Secret."""

Properties: TypeAlias = dict[str, Any]
"""A resource's inputs or outputs by their camelCase names."""


class Unknown(Enum):
    """The one value that stands for "known after the update"."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True)
class Secret:
    """A value that the engine keeps encrypted; its repr says nothing."""

    value: Value = field(repr=False)


class UnsupportedValue(ValueError):
    """A kind of value that no resource type served here takes."""


_SIGNATURE: Final[str] = rpc._special_sig_key
_SECRET: Final[str] = rpc._special_secret_sig
_OUTPUT: Final[str] = rpc._special_output_value_sig
_RESOURCE: Final[str] = rpc._special_resource_sig
_LARGEST_EXACT_INTEGER: Final = 2**53


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """Read a property map; secrets come back as `Secret`, unknowns as `UNKNOWN`."""
    return {name: _from_value(value) for name, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
    if kind == "number_value":
        number = value.number_value
        exact = number.is_integer() and abs(number) <= _LARGEST_EXACT_INTEGER
        return int(number) if exact else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _from_object(value.struct_value)
    return None


def _from_object(struct: struct_pb2.Struct) -> Value:
    if _SIGNATURE not in struct.fields:
        return from_struct(struct)
    signature = struct.fields[_SIGNATURE].string_value
    if signature == _SECRET:
        return Secret(_from_value(struct.fields["value"]))
    if signature == _OUTPUT:
        inner = _from_value(struct.fields["value"]) if "value" in struct.fields else UNKNOWN
        return Secret(inner) if struct.fields["secret"].bool_value else inner
    if signature == _RESOURCE:
        identity = _from_value(struct.fields["id"]) if "id" in struct.fields else None
        return UNKNOWN if identity == "" else identity or struct.fields["urn"].string_value
    raise UnsupportedValue("assets and archives are not supported by the sandbox's providers")


def to_struct(properties: Mapping[str, Value]) -> struct_pb2.Struct:
    """Write a property map; the reverse of `from_struct`. Absent (None) properties are left out."""
    struct = struct_pb2.Struct()
    for name, value in properties.items():
        if value is not None:
            struct.fields[name].CopyFrom(_to_value(value))
    return struct


def _to_value(value: Value) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=rpc.UNKNOWN)
    if isinstance(value, Secret):
        wrapped = struct_pb2.Struct()
        wrapped.fields[_SIGNATURE].string_value = _SECRET
        wrapped.fields["value"].CopyFrom(_to_value(value.value))
        return struct_pb2.Value(struct_value=wrapped)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, list | tuple):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_to_value(item) for item in value]))
    return struct_pb2.Value(struct_value=to_struct(value))


def plain(value: Value) -> Value:
    """The value without any secret marks, at every depth."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def is_known(value: Value) -> bool:
    """Whether nothing in the value is unknown."""
    return not _any(value, lambda item: item is UNKNOWN)


def annotate(outputs: Properties, like: Mapping[str, Value]) -> Properties:
    """Mark in `outputs` what is secret in `like`: by name, inside objects too, whole lists at once.

    This is how Pulumi's engine carries secrecy over for providers that do not know secrets, so that both ways of
    attaching a provider leave the same state.
    """
    marked = dict(outputs)
    for name, source in like.items():
        value = marked.get(name)
        if value is None:
            continue
        if isinstance(value, dict) and isinstance(source, dict):
            marked[name] = annotate(value, source)
        elif not isinstance(value, Secret) and _any(source, lambda item: isinstance(item, Secret)):
            marked[name] = Secret(value)
    return marked


def secret_texts(value: Value) -> Iterator[str]:
    """Every text inside a secret, to be kept out of error messages."""
    if isinstance(value, Secret):
        yield from _texts(value.value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from secret_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(item)


def _texts(value: Value) -> Iterator[str]:
    value = plain(value)
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _any(value: Value, test: Callable[[Value], bool]) -> bool:
    if test(value):
        return True
    if isinstance(value, Secret):
        return _any(value.value, test)
    if isinstance(value, dict):
        return any(_any(item, test) for item in value.values())
    if isinstance(value, list):
        return any(_any(item, test) for item in value)
    return False
