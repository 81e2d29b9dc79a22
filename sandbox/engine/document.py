"""Writes a state in Pulumi's deployment format, version 3, and reads what this engine wrote; secrets are encrypted."""

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sandbox.engine import values
from sandbox.engine.passphrase import Passphrase, WrongPassphrase
from sandbox.engine.state import Pending, Resource, State, StateRefused, now

VERSION = 3


def _key_of(name: str) -> str:
    first, *rest = name.split("_")
    return "importID" if name == "import_id" else first + "".join(map(str.capitalize, rest))


_UNRECORDED = {"providers", "version", "delete_before_replace"}
_NAMES = {_key_of(item.name): item.name for item in fields(Resource) if item.name not in _UNRECORDED}
"""A record's fields by their keys in the format: camel case, but for one."""


def resource_to_json(resource: Resource, secrets: Passphrase) -> str:
    """One line of JSON."""

    def sealed(secret: values.Secret) -> dict[str, str]:
        element = values.encoded(values.bare(secret.element), sealed)
        text = json.dumps(element, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
        return {values.SIGNATURE: values.SECRET, "ciphertext": secrets.encrypt(text)}

    record: dict[str, Any] = {}
    for key, name in _NAMES.items():
        value = getattr(resource, name)
        if name in ("inputs", "outputs"):
            value = values.encoded(value, sealed)
        if value or name == "custom":
            record[key] = dict(sorted(value.items())) if isinstance(value, dict) else value
    return json.dumps(record, ensure_ascii=False)


def lines_to_json(lines: Iterable[str], pending: Iterable[tuple[str, str]], secrets: Passphrase) -> str:
    """The whole file: `lines` are resources as `resource_to_json` made them, `pending` pairs of type and line."""
    manifest = {"time": now(), "magic": "", "version": ""}
    manager = {"type": "passphrase", "state": {"salt": secrets.salt}}
    head = f'"manifest": {json.dumps(manifest)},\n"secrets_providers": {json.dumps(manager)}'
    listed = ",\n".join(lines)
    body = f',\n"resources": [\n{listed}\n]' if listed else ""
    begun = ",\n".join(f'{{"resource": {line}, "type": {json.dumps(kind)}}}' for kind, line in pending)
    tail = f',\n"pending_operations": [\n{begun}\n]' if begun else ""
    return f'{{"version": {VERSION}, "deployment": {{\n{head}{body}{tail},\n"metadata": {{}}\n}}}}\n'


def read_document(text: bytes | str, source: str) -> dict[str, Any]:
    """The document in `text`, still encrypted; raises StateRefused for one of another kind or version."""
    try:
        document: dict[str, Any] = json.loads(text)
        version, resources = document["version"], document["deployment"].get("resources") or []
        whole = all(isinstance(item, dict) for item in resources)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StateRefused(f"{source} is not a whole state ({error}); restore a copy of it") from error
    if version != VERSION:
        raise StateRefused(
            f"{source} has state version {version}, this engine writes {VERSION}; use its own engine"
        )
    if not whole:
        raise StateRefused(f"{source} is damaged (a resource is no object); restore a copy of it")
    return document


def state_from_json(text: bytes | str, passphrase: str, source: str) -> State:
    """The state that `text` holds; raises StateRefused with `source`, the problem and its remedy."""
    deployment = read_document(text, source)["deployment"]
    try:
        manager = deployment.get("secrets_providers")
        secrets = Passphrase(passphrase, manager["state"]["salt"] if manager else None)
    except (WrongPassphrase, KeyError, TypeError) as error:
        raise StateRefused(f"{source} cannot be opened: {error}") from error

    def record(item: dict[str, Any]) -> Resource:
        try:
            return _record(item, secrets)
        except (
            WrongPassphrase,
            LookupError,
            TypeError,
            AttributeError,
            ValueError,
            values.UnsupportedValue,
        ) as error:
            closed = isinstance(error, WrongPassphrase)
            reason = "a secret does not open" if closed else f"{type(error).__name__}: {error}"
            raise StateRefused(
                f"{source} is damaged ({item.get('urn')}: {reason}); restore a copy of it"
            ) from error

    return State(
        tuple(record(item) for item in deployment.get("resources") or ()),
        tuple(
            Pending(item["type"], record(item["resource"]))
            for item in deployment.get("pending_operations") or ()
        ),
        secrets,
    )


def _record(item: dict[str, Any], secrets: Passphrase) -> Resource:
    """The record of one resource; a field that this engine does not write is a KeyError."""
    read: dict[str, Any] = {}
    for key, value in item.items():
        name = _NAMES[key]
        if name in ("inputs", "outputs"):
            read[name] = {each: _opened(given, secrets) for each, given in value.items()}
        elif name == "property_dependencies":
            read[name] = {each: tuple(urns or ()) for each, urns in value.items()}
        else:
            read[name] = tuple(value) if isinstance(value, list) else value
    return Resource(**read)


def _opened(value: Any, secrets: Passphrase) -> Any:
    """A property's value with its secrets decrypted."""
    if isinstance(value, list):
        return [_opened(element, secrets) for element in value]
    if not isinstance(value, dict):
        return values.UNKNOWN if value == values.UNKNOWN_TEXT else value
    if value.get(values.SIGNATURE) == values.SECRET:
        return values.Secret(values.bare(_opened(json.loads(secrets.decrypt(value["ciphertext"])), secrets)))
    return values.signed({key: _opened(element, secrets) for key, element in value.items()})
