"""Validates requests against the models that AWS publishes for its SDKs, with AWS's messages and without values."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moto.core.parse import QueryParser
from moto.core.utils import get_service_model

from sandbox.aws.grants import AwsRefusal
from sandbox.aws.wire import Call

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREACH = {"ecs": "InvalidParameterException", "secretsmanager": "ValidationException"}
_KINDS: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    **dict.fromkeys(("timestamp", "float", "double"), (int, float)),
}
_BITS = {"integer": 31, "long": 63}


def checked(call: Call) -> Call:
    """Return the call with its parameters as the model names them. Raises `AwsRefusal` for what AWS would not take."""
    model = get_service_model(call.service)
    operation = model.operation_model(call.action)
    parameters = call.parameters
    if operation.input_shape is None:
        return call
    if model.protocol == "query":
        if any(_NOT_IN_XML.search(text) for text in parameters.values()):
            raise AwsRefusal(
                "ValidationError", "The request holds a character in which no answer could name it."
            )
        try:
            parameters = QueryParser(operation).parse({"values": parameters})
        except ValueError:
            raise AwsRefusal(
                "ValidationError", "A value of the request is not of its parameter's type."
            ) from None
    _Check(_BREACH.get(call.service, "ValidationError")).value(operation.input_shape, parameters, "")
    return replace(call, parameters=parameters)


class _Check:
    """Walks a value along its shape; `breach` is the service's code for a constraint that is not met."""

    def __init__(self, breach: str) -> None:
        self._breach = breach

    def value(self, shape: Any, value: Any, path: str) -> None:
        kind: str = shape.type_name
        if not _is(kind, value):
            raise AwsRefusal("SerializationException", f"The value at '{path}' is not of type {kind}.")
        if kind == "structure":
            self._members(shape, value, path)
        elif kind == "list":
            self._size(shape, len(value), path, "have length")
            for number, each in enumerate(value, 1):
                self.value(shape.member, each, f"{path}.{number}.member")
        elif kind == "map":
            for key, each in value.items():
                self.value(shape.key, key, f"{path}.key")
                self.value(shape.value, each, f"{path}.value")
        elif kind in ("string", "blob"):
            self._text(shape, value, path)
        elif kind in _BITS:
            if not -(2 ** _BITS[kind]) <= value < 2 ** _BITS[kind]:
                raise AwsRefusal(
                    "SerializationException", f"The value at '{path}' is out of range for {kind}."
                )
            self._size(shape, value, path, "have value")

    def _members(self, shape: Any, value: Mapping[str, Any], path: str) -> None:
        for name, member in shape.members.items():
            where = f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")
            if name in value:
                self.value(member, value[name], where)
            elif name in shape.required_members:
                self._refuse("Value null", where, "not be null")

    def _text(self, shape: Any, value: str, path: str) -> None:
        try:
            # JSON can write half of a surrogate pair, which no text holds.
            encoded = value.encode()
            size = len(value) if shape.type_name == "string" else len(b64decode(encoded, validate=True))
        except ValueError:
            raise AwsRefusal("SerializationException", f"The value at '{path}' cannot be decoded.") from None
        self._size(shape, size, path, "have length")
        allowed = shape.metadata.get("enum")
        if allowed and value not in allowed:
            self._refuse("Value", path, f"satisfy enum value set: [{', '.join(allowed)}]")

    def _size(self, shape: Any, size: int, path: str, have: str) -> None:
        if size < shape.metadata.get("min", size):
            self._refuse("Value", path, f"{have} greater than or equal to {shape.metadata['min']}")
        if size > shape.metadata.get("max", size):
            self._refuse("Value", path, f"{have} less than or equal to {shape.metadata['max']}")

    def _refuse(self, what: str, path: str, must: str) -> None:
        message = f"1 validation error detected: {what} at '{path}' failed to satisfy constraint: Member must {must}"
        raise AwsRefusal(self._breach, message)


def _is(kind: str, value: object) -> bool:
    return isinstance(value, _KINDS[kind]) and isinstance(value, bool) == (kind == "boolean")
