"""Property values as the protocol knows them: plain JSON values, secrets, unknowns and resource references.

Decides nothing about resources. Must never show a secret's content in a repr or in what it masks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.engine import wire
from sandbox.engine.errors import EngineError

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - Pulumi's published marker of a secret, not one
REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Properties = dict[str, Any]


class UnsupportedValue(EngineError):
    """A property holds a kind of value that this engine does not carry (an asset, an archive, an output value)."""


@dataclass(frozen=True, repr=False)
class Secret:
    """A value that is encrypted in the state and masked everywhere else. Equal when the contents are equal."""

    element: Any

    def __repr__(self) -> str:
        return "Secret([secret])"


class Unknown:
    """A value that only the update will know; there is one, `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Reference:
    """A resource as a value: its URN, its id (None for a component, UNKNOWN in a preview) and package version."""

    urn: str
    id: Any
    package_version: str = ""


def to_struct(properties: Mapping[str, Any] | None, *, secrets: bool = True) -> Any:
    """`properties` as a protobuf Struct; without `secrets` their contents go bare, for hosts that know none."""
    struct = wire.Struct()
    for key, value in (properties or {}).items():
        _fill(struct.fields[key], value, secrets)
    return struct


def _fill(target: Any, value: Any, secrets: bool) -> None:  # noqa: FBT001
    if isinstance(value, Secret) and not secrets:
        _fill(target, value.element, secrets)
    elif value is None:
        target.null_value = 0
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif value is UNKNOWN:
        target.string_value = UNKNOWN_TEXT
    elif isinstance(value, list):
        target.list_value.SetInParent()
        for element in value:
            _fill(target.list_value.values.add(), element, secrets)
    else:
        target.struct_value.SetInParent()
        for key, element in _object(value).items():
            _fill(target.struct_value.fields[key], element, secrets)


def _object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET, "value": value.element}
    if isinstance(value, Reference):
        named = {SIGNATURE: REFERENCE, "urn": value.urn}
        extra = {} if value.id is None else {"id": "" if value.id is UNKNOWN else value.id}
        version = {"packageVersion": value.package_version} if value.package_version else {}
        return {**named, **extra, **version}
    fields: Mapping[str, Any] = value
    return fields


def from_struct(struct: Any) -> Properties:
    """The Struct's fields as values; raises UnsupportedValue for assets, archives and output values."""
    return {key: from_value(value) for key, value in struct.fields.items()}


def from_value(value: Any) -> Any:
    """One protobuf Value; whole numbers become ints, so that a state file shows 1 and not 1.0."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "list_value":
        return [from_value(element) for element in value.list_value.values]
    if kind == "struct_value":
        return signed({key: from_value(element) for key, element in value.struct_value.fields.items()})
    return None


def signed(fields: Properties) -> Any:
    """`fields`, or the special value that its signature marks it to be."""
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


def _inner(value: Any) -> Iterator[Any]:
    if isinstance(value, Secret):
        yield value.element
    elif isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def any_value(value: Any, test: Callable[[Any], bool]) -> bool:
    """True if `value` or anything inside it passes `test`."""
    return test(value) or any(any_value(element, test) for element in _inner(value))


def has_unknown(value: Any) -> bool:
    """True if any part is unknown."""
    return any_value(value, lambda part: part is UNKNOWN)


def has_secret(value: Any) -> bool:
    """True if any part is secret."""
    return any_value(value, lambda part: isinstance(part, Secret))


def bare(value: Any) -> Any:
    """`value` with every secret unwrapped."""
    if isinstance(value, Secret):
        return bare(value.element)
    if isinstance(value, dict):
        return {key: bare(element) for key, element in value.items()}
    return [bare(element) for element in value] if isinstance(value, list) else value


def masked(value: Any) -> Any:
    """`value` as JSON that may be shown: secrets read [secret], unknowns [unknown]."""
    if isinstance(value, Secret):
        return "[secret]"
    if value is UNKNOWN:
        return "[unknown]"
    if isinstance(value, Reference):
        return value.urn
    if isinstance(value, dict):
        return {key: masked(element) for key, element in value.items()}
    return [masked(element) for element in value] if isinstance(value, list) else value


def secret_texts(value: Any, *, inside: bool = False) -> Iterator[str]:
    """Every text and number that stands inside a secret, so that messages can be searched for it."""
    if inside and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)
    for element in _inner(value):
        yield from secret_texts(element, inside=inside or isinstance(value, Secret))


def annotate_secrets(outputs: Properties, inputs: Properties) -> Properties:
    """`outputs` of a host that knows no secrets: what was secret going in stays secret coming out, by name."""
    result = dict(outputs)
    for key in inputs.keys() & outputs.keys():
        given, returned = inputs[key], outputs[key]
        if isinstance(returned, dict) and isinstance(given, dict):
            result[key] = annotate_secrets(returned, given)
        elif not isinstance(returned, Secret) and has_secret(given):
            result[key] = Secret(returned)
    return result
