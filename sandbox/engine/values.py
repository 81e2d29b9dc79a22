"""Pulumi property values: JSON values, secrets, unknowns, resource references. A repr shows no secret's content."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from google.protobuf import struct_pb2

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - Pulumi's published marker of a secret, not one
REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
INTERNAL = "__internal"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_LARGEST_EXACT_INTEGER: Final = 2**53

Value: TypeAlias = Any
"""None, bool, int, float, str, list, dict with string keys, UNKNOWN, Secret or Reference."""

Properties: TypeAlias = dict[str, Any]  # A resource's inputs or outputs by their names


class UnsupportedValue(Exception):
    """A kind of value that the sandbox does not carry: an asset, or an archive."""


@dataclass(frozen=True, repr=False)
class Secret:
    """A value that is encrypted in the state and masked everywhere else. Equal when the contents are equal."""

    element: Value

    def __repr__(self) -> str:
        return "Secret([secret])"


class Unknown(Enum):
    """The value "known after the update"."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return self.name


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True)
class Reference:
    """A resource as a value: its URN, its id (None for a component, UNKNOWN in a preview) and package version."""

    urn: str
    id: Any
    package_version: str = ""


def mapped(value: Value, change: Callable[[Value], Value]) -> Value:
    """`value` with `change` applied to it, then to everything in it."""
    value = change(value)
    if isinstance(value, dict):
        return {key: mapped(element, change) for key, element in value.items()}
    return [mapped(element, change) for element in value] if isinstance(value, (list, tuple)) else value


def encoded(value: Value, secret: Callable[[Secret], Value]) -> Value:
    """`value` as JSON with the format's signatures; `secret` says what becomes of a secret."""

    def change(part: Value) -> Value:
        while isinstance(part, Secret):
            part = secret(part)
        if part is UNKNOWN:
            return UNKNOWN_TEXT
        if not isinstance(part, Reference):
            return part
        named = {SIGNATURE: REFERENCE, "urn": part.urn, "packageVersion": part.package_version}
        return named if part.id is None else {**named, "id": "" if part.id is UNKNOWN else part.id}

    return mapped(value, change)


def signed(fields: Properties) -> Value:
    """`fields`, or the special value that its signature means; raises UnsupportedValue."""
    signature = fields.get(SIGNATURE)
    if signature is None:
        return fields
    if signature == SECRET:
        element = fields.get("value")
        return element if isinstance(element, Secret) else Secret(element)
    if signature == REFERENCE:
        identity = UNKNOWN if fields.get("id") == "" else fields.get("id")
        return Reference(fields["urn"], identity, fields.get("packageVersion") or "")
    if signature == OUTPUT:
        element = fields.get("value", UNKNOWN)
        return Secret(element) if fields.get("secret") else element
    raise UnsupportedValue("assets and archives are not supported; pass a path or a text instead")


def to_struct(properties: Mapping[str, Value] | None, *, secrets: bool = True) -> Any:
    """`properties` as a protobuf Struct; without `secrets` their contents go bare, for hosts that know none."""

    def mark(value: Secret) -> Value:
        return {SIGNATURE: SECRET, "value": value.element} if secrets else value.element

    struct = struct_pb2.Struct()
    struct.update({key: encoded(value, mark) for key, value in (properties or {}).items()})
    return struct


def from_struct(struct: Any) -> Properties:
    """The Struct's fields as values; raises UnsupportedValue for assets and archives."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: Any) -> Value:
    """One protobuf Value; whole numbers become ints, so that a state file shows 1 and not 1.0."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < _LARGEST_EXACT_INTEGER else number
    if kind == "list_value":
        return [_from_value(element) for element in value.list_value.values]
    return signed(from_struct(value.struct_value)) if kind == "struct_value" else None


def _parts(value: Value) -> Iterator[Value]:
    """`value` and everything in it, secrets opened."""
    yield value
    inner: Any = ()
    if isinstance(value, Secret):
        inner = (value.element,)
    elif isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    for element in inner:
        yield from _parts(element)


def is_known(value: Value) -> bool:
    """Whether nothing in the value is unknown."""
    return not any(part is UNKNOWN for part in _parts(value))


def has_secret(value: Value) -> bool:
    """Whether any part is secret."""
    return any(isinstance(part, Secret) for part in _parts(value))


def without_internal(inputs: Properties) -> Properties:
    """A provider's own settings, without what the engine keeps for itself among them."""
    return {key: value for key, value in inputs.items() if key != INTERNAL}


def bare(value: Value) -> Value:
    """`value` with every secret unwrapped."""

    def unwrapped(part: Value) -> Value:
        while isinstance(part, Secret):
            part = part.element
        return part

    return mapped(value, unwrapped)


def masked(value: Value) -> Value:
    """`value` as JSON that may be shown: secrets read [secret], unknowns [unknown]."""

    def shown(part: Value) -> Value:
        if isinstance(part, Secret):
            return "[secret]"
        if isinstance(part, Reference):
            return part.urn
        return "[unknown]" if part is UNKNOWN else part

    return mapped(value, shown)


def secret_texts(value: Value) -> Iterator[str]:
    """Every text and number inside secrets, so that messages can be searched for them."""
    for part in _parts(value):
        if isinstance(part, Secret):
            yield from (
                str(inner)
                for inner in _parts(part.element)
                if isinstance(inner, (str, int, float)) and not isinstance(inner, bool)
            )


def annotate_secrets(outputs: Properties, inputs: Mapping[str, Value]) -> Properties:
    """`outputs` of a host that knows no secrets: what was secret going in stays secret coming out, by name."""
    result = dict(outputs)
    for key in inputs.keys() & outputs.keys():
        given, returned = inputs[key], outputs[key]
        if isinstance(returned, dict) and isinstance(given, dict):
            result[key] = annotate_secrets(returned, given)
        elif not isinstance(returned, Secret) and has_secret(given):
            result[key] = Secret(returned)
    return result
