"""The resource type random:index/randomPassword:RandomPassword, with the options that the program uses."""

import secrets
import string
from typing import Final

import bcrypt

from sandbox.engine.values import Properties
from sandbox.providers.resource import Failure, Found, Property, ResourceType

_ALPHABET: Final = string.ascii_letters + string.digits
_HASHED_BYTES: Final = 72  # bcrypt inspects no more; the provider hashes the first so many bytes


def _validate(inputs: Properties) -> list[Failure]:
    wrong = [Failure("special", "only false is served: pass it")] if inputs["special"] is not False else []
    if isinstance(inputs["length"], int) and inputs["length"] < 1:
        wrong.append(Failure("length", f"must be at least 1, got {inputs['length']}"))
    return wrong


def _create(_: None, inputs: Properties) -> Found:
    result = "".join(secrets.choice(_ALPHABET) for _ in range(inputs["length"]))
    digest = bcrypt.hashpw(result.encode()[:_HASHED_BYTES], bcrypt.gensalt(10))
    return Found("none", {**inputs, "result": result, "bcryptHash": digest.decode()})


def _read(_: None, identity: str, known: Properties) -> Found:
    return Found(identity, {name: value for name, value in known.items() if name != "id"})


RANDOM_PASSWORD: Final = ResourceType[None](
    token="random:index/randomPassword:RandomPassword",  # noqa: S106 - a type token
    properties=(
        Property("bcryptHash", output_only=True, secret=True),
        Property("keepers", replaces=True),
        Property("length", required=True, replaces=True),
        Property("result", output_only=True, secret=True),
        Property("special", required=True, replaces=True),
    ),
    create=_create,
    read=_read,
    records_defaults=False,
    validate=_validate,
)
