"""The random provider, with the resource type random:index/randomPassword:RandomPassword."""

import secrets
import string
from typing import Final

import bcrypt

from sandbox.providers.resource import Failure, Found, Property, ProviderDefinition, ResourceType
from sandbox.values import UNKNOWN, Properties, is_known

_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"  # the special characters that the provider documents as its own
_HASHED_BYTES: Final = 72  # bcrypt looks at no more; the provider hashes the first so many bytes
_CLASSES: Final = (
    ("upper", "minUpper", string.ascii_uppercase),
    ("lower", "minLower", string.ascii_lowercase),
    ("numeric", "minNumeric", string.digits),
    ("special", "minSpecial", _SPECIAL),
)


class Nothing:
    """The random provider's session: it has no settings and reaches no service."""


def _completed(inputs: Properties) -> Properties:
    """The inputs with the provider's defaults; `number` and `numeric` are one setting with two names."""
    numeric = inputs.get("numeric", inputs.get("number", True))
    defaults = {"lower": True, "upper": True, "special": True}
    minimums = {"minLower": 0, "minNumeric": 0, "minSpecial": 0, "minUpper": 0}
    given = {name: value for name, value in inputs.items() if value is not None}
    return {**defaults, **minimums, **given, "numeric": numeric, "number": numeric}


def _validate(inputs: Properties) -> list[Failure]:
    full = _completed(inputs)
    if not is_known(full):
        return []
    least = sum(full[minimum] for _, minimum, _ in _CLASSES)
    if full["length"] < max(1, least):
        return [Failure("length", f"must be at least {max(1, least)}, got {full['length']}")]
    if not any(full[enabled] for enabled, _, _ in _CLASSES):
        return [Failure("numeric", "at least one of upper, lower, numeric and special must be true")]
    return []


def _create(_: Nothing, inputs: Properties) -> Found:
    full = _completed(inputs)
    return Found("none", _state(full, _generated(full)))


def _generated(full: Properties) -> str:
    source = secrets.SystemRandom()
    alphabets = {
        enabled: full.get("overrideSpecial") or letters if enabled == "special" else letters
        for enabled, _, letters in _CLASSES
    }
    characters = [
        secrets.choice(alphabets[enabled]) for enabled, minimum, _ in _CLASSES for _ in range(full[minimum])
    ]
    everything = "".join(alphabets[enabled] for enabled, _, _ in _CLASSES if full[enabled])
    characters += [secrets.choice(everything) for _ in range(full["length"] - len(characters))]
    source.shuffle(characters)
    return "".join(characters)


def _state(full: Properties, result: str) -> Properties:
    digest = bcrypt.hashpw(result.encode()[:_HASHED_BYTES], bcrypt.gensalt(10))
    return {**full, "result": result, "bcryptHash": digest.decode()}


def _read(_: Nothing, identity: str, known: Properties) -> Found:
    if known.get("result"):
        return Found(identity, {name: value for name, value in known.items() if name != "id"})
    # An import: the id is the password itself.
    return Found("none", _state(_completed({"length": len(identity)}), identity))


def _delete(_: Nothing, _identity: str, _state: Properties) -> None:
    """Forget the password: there is nothing to delete."""


def _plan(_: Nothing, planned: Properties) -> Properties:
    completed = _completed({name: value for name, value in planned.items() if value is not UNKNOWN})
    return {**planned, **completed}


def _option(name: str) -> Property:
    return Property(name, replaces=True, computed=True)


_RANDOM_PASSWORD: Final = ResourceType[Nothing](
    token="random:index/randomPassword:RandomPassword",  # noqa: S106 - a type token
    properties=(
        Property("bcryptHash", output_only=True, secret=True),
        Property("keepers", replaces=True),
        Property("length", required=True, replaces=True),
        _option("lower"),
        _option("minLower"),
        _option("minNumeric"),
        _option("minSpecial"),
        _option("minUpper"),
        _option("number"),
        _option("numeric"),
        Property("overrideSpecial", replaces=True),
        Property("result", output_only=True, secret=True),
        _option("special"),
        _option("upper"),
    ),
    create=_create,
    read=_read,
    update=None,
    delete=_delete,
    records_defaults=False,
    validate=_validate,
    plan=_plan,
)


def definition() -> ProviderDefinition[Nothing]:
    """The random provider."""
    return ProviderDefinition(
        name="random",
        version="4.21.4",
        settings=frozenset(),
        configure=lambda _: Nothing(),
        resources=(_RANDOM_PASSWORD,),
    )
