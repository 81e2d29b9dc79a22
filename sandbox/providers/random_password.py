"""The resource type random:index/randomPassword:RandomPassword, with the options that the program uses."""

import secrets
import string
from typing import Final

import bcrypt

from sandbox.providers.resource import Failure, Found, Property, ResourceType
from sandbox.values import Properties

_LETTERS: Final = string.ascii_letters + string.digits
_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"  # the special characters that the provider documents as its own
_HASHED_BYTES: Final = 72  # bcrypt inspects no more; the provider hashes the first so many bytes


def _validate(inputs: Properties) -> list[Failure]:
    length = inputs["length"]
    wrong = isinstance(length, int) and length < 1
    return [Failure("length", f"must be at least 1, got {length}")] if wrong else []


def _with_special(_: None, inputs: Properties) -> Properties:
    return {**inputs, "special": inputs.get("special") is not False}


def _create(_: None, inputs: Properties) -> Found:
    alphabet = _LETTERS + (_SPECIAL if inputs["special"] else "")
    return _found(inputs, "".join(secrets.choice(alphabet) for _ in range(inputs["length"])))


def _found(inputs: Properties, result: str) -> Found:
    digest = bcrypt.hashpw(result.encode()[:_HASHED_BYTES], bcrypt.gensalt(10))
    return Found("none", {**inputs, "result": result, "bcryptHash": digest.decode()})


def _read(_: None, identity: str, known: Properties) -> Found:
    if known.get("result"):
        return Found(identity, {name: value for name, value in known.items() if name != "id"})
    # An import: the id is the password itself.
    return _found({"length": len(identity), "special": True}, identity)


def _delete(_: None, _identity: str, _state: Properties) -> None:
    """Forget the password: there is nothing to delete."""


RANDOM_PASSWORD: Final = ResourceType[None](
    token="random:index/randomPassword:RandomPassword",  # noqa: S106 - a type token
    properties=(
        Property("bcryptHash", output_only=True, secret=True),
        Property("keepers", replaces=True),
        Property("length", required=True, replaces=True),
        Property("result", output_only=True, secret=True),
        Property("special", replaces=True, computed=True),
    ),
    create=_create,
    read=_read,
    update=None,
    delete=_delete,
    records_defaults=False,
    prepare=_with_special,
    validate=_validate,
)
