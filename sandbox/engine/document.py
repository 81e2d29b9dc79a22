"""Reads and writes a state in Pulumi's deployment format, version 3; secrets are always encrypted. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ConfigDict, StrictStr, TypeAdapter, ValidationError

from sandbox import values
from sandbox.engine.passphrase import Passphrase, WrongPassphrase
from sandbox.engine.state import Ciphers, Pending, Record, Resource, State, StateRefused, key_of, now

VERSION = 3


def resource_to_json(resource: Resource, secrets: Passphrase, ciphers: Ciphers) -> str:
    """One line of JSON. `ciphers` keeps the ciphertext of a secret that did not change, so that the file is stable."""
    record: dict[str, Any] = {}
    for name in (item.name for item in fields(Resource)):
        value = getattr(resource, name)
        if name in ("inputs", "outputs"):
            value = _sealed(value, (resource.urn, resource.id, name), secrets, ciphers)
        elif name == "property_dependencies":
            value = dict(sorted(value.items()))
        if value or name == "custom":
            record[key_of(name)] = value
    return json.dumps(record, ensure_ascii=False)


def _sealed(value: Any, path: tuple[str, ...], secrets: Passphrase, ciphers: Ciphers) -> Any:
    if isinstance(value, values.Secret):
        text = json.dumps(
            values.encoded(value.element, _inside), separators=(",", ":"), ensure_ascii=False, sort_keys=True
        )
        if ciphers.get(path, ("", ""))[0] != text:
            ciphers[path] = (text, secrets.encrypt(text))
        return {values.SIGNATURE: values.SECRET, "ciphertext": ciphers[path][1]}
    if isinstance(value, dict):
        return {key: _sealed(value[key], (*path, key), secrets, ciphers) for key in sorted(value)}
    if isinstance(value, list):
        return [
            _sealed(element, (*path, str(index)), secrets, ciphers) for index, element in enumerate(value)
        ]
    return values.encoded(value, _inside)


def _inside(secret: values.Secret) -> Any:
    """A secret within a secret: its marker stays, and it is sealed with all the rest."""
    return {values.SIGNATURE: values.SECRET, "plaintext": json.dumps(values.encoded(secret.element, _inside))}


def lines_to_json(
    lines: Iterable[str], pending: Iterable[tuple[str, str]], secrets: Passphrase, metadata: dict[str, Any]
) -> str:
    """The whole file: `lines` are resources as `resource_to_json` made them, `pending` pairs of type and line."""
    manifest = {"time": now(), "magic": "", "version": ""}
    manager = {"type": "passphrase", "state": {"salt": secrets.salt()}}
    head = f'"manifest": {json.dumps(manifest)},\n"secrets_providers": {json.dumps(manager)}'
    listed = ",\n".join(lines)
    body = f',\n"resources": [\n{listed}\n]' if listed else ""
    begun = ",\n".join(f'{{"resource": {line}, "type": {json.dumps(kind)}}}' for kind, line in pending)
    tail = f',\n"pending_operations": [\n{begun}\n]' if begun else ""
    return f'{{"version": {VERSION}, "deployment": {{\n{head}{body}{tail},\n"metadata": {json.dumps(metadata)}\n}}}}\n'


def state_to_json(state: State) -> str:
    """The file that holds `state`."""

    def line(resource: Resource) -> str:
        return resource_to_json(resource, state.secrets, state.ciphers)

    pending = [(begun.type, line(begun.resource)) for begun in state.pending]
    return lines_to_json(map(line, state.resources), pending, state.secrets, state.metadata)


@dataclass(frozen=True)
class _Manager:
    type: StrictStr
    state: dict[str, Any] | None = None


@dataclass(frozen=True)
class _Deployment:
    __pydantic_config__ = ConfigDict(extra="forbid", hide_input_in_errors=True)

    manifest: dict[str, Any]
    secrets_providers: _Manager | None = None
    resources: tuple[Record, ...] | None = None
    pending_operations: tuple[Pending, ...] | None = None
    metadata: dict[str, Any] | None = None


_DEPLOYMENT = TypeAdapter(_Deployment)
_SAID = {
    "dataclass_type": "is no object",
    "dict_type": "is no object",
    "tuple_type": "is no list",
    "missing": "is missing",
}


def read_document(text: bytes | str, source: str) -> tuple[dict[str, Any], _Deployment]:
    """Return the document in `text` and its deployment, still encrypted; raises StateRefused on unknown fields."""
    try:
        document = json.loads(text.decode() if isinstance(text, bytes) else text)
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair could not be written again
    except (ValueError, RecursionError) as error:
        raise StateRefused(
            f"{source} is not a whole JSON document ({error}); restore a copy of it"
        ) from error
    version = document.get("version") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise StateRefused(
            f"{source} is no Pulumi state; point to the file that `pulumi stack export` writes"
        )
    if version != VERSION:
        raise StateRefused(
            f"{source} has state version {version}, this engine writes {VERSION}; use its own engine"
        )
    if not isinstance(document.get("deployment"), dict):
        raise StateRefused(f"{source} has no deployment; point to the file that `pulumi stack export` writes")
    if more := sorted(key for key in document.keys() - {"version", "deployment"} if document[key]):
        raise StateRefused(
            f"{source} uses {', '.join(more)}, which this engine does not support; use the pulumi CLI"
        )
    try:
        return document, _DEPLOYMENT.validate_python(document["deployment"])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where, message = _place(document["deployment"], first["loc"]), _SAID.get(first["type"], first["msg"])
    if first["type"] == "unexpected_keyword_argument":
        raise StateRefused(f"{source} uses {where}, which this engine does not support; use the pulumi CLI")
    raise StateRefused(f"{source} is damaged ({where}: {message}); restore a copy of it")


def shows_secrets(deployment: _Deployment) -> bool:
    """Whether it holds an unencrypted secret."""

    def shown(value: Any) -> bool:
        if isinstance(value, list):
            return any(map(shown, value))
        if not isinstance(value, dict):
            return False
        if value.get(values.SIGNATURE) == values.SECRET:
            return "plaintext" in value
        return any(map(shown, value.values()))

    begun = (pending.resource for pending in deployment.pending_operations or ())
    return any(shown([item.inputs, item.outputs]) for item in (*(deployment.resources or ()), *begun))


def _place(value: Any, steps: Iterable[int | str]) -> str:
    """A place in a deployment as a person finds it: by the URN of its resource, where it is in one."""
    names: list[str] = []
    owner = ""
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = None
        names.append(str(step))
        if isinstance(value, dict) and isinstance(value.get("urn"), str):
            names, owner = [], f" of {value['urn']}"
    return ".".join(names) + owner


def state_from_json(text: bytes | str, passphrase: str, source: str) -> State:
    """The state that `text` holds; raises StateRefused with `source`, the problem and its remedy."""
    _, deployment = read_document(text, source)
    resources, pending = deployment.resources or (), deployment.pending_operations or ()
    sealed = _Sealed(_secrets_of(deployment.secrets_providers, passphrase, source), {})
    for item in (*resources, *(begun.resource for begun in pending)):
        try:
            for name, properties in (("inputs", item.inputs), ("outputs", item.outputs)):
                opened = {
                    key: sealed.opened(value, (item.urn, item.id, name, key))
                    for key, value in properties.items()
                }
                setattr(item, name, opened)
        except WrongPassphrase as error:
            raise StateRefused(
                f"{source} is damaged ({item.urn}: a secret does not open); restore a copy of it"
            ) from error
        except values.UnsupportedValue as error:
            raise StateRefused(f"{source} cannot be continued: {item.urn}: {error}") from error
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise StateRefused(
                f"{source} is damaged ({item.urn}: {type(error).__name__}); restore a copy of it"
            ) from error
    metadata = deployment.metadata or {}
    return State(resources, pending, sealed.secrets, sealed.ciphers, metadata, plaintext=sealed.plaintext)


def _secrets_of(manager: _Manager | None, passphrase: str, source: str) -> Passphrase:
    if manager is None:
        return Passphrase(passphrase)
    if manager.type != "passphrase":
        raise StateRefused(f"{source} is sealed by {manager.type}; this engine opens passphrase states only")
    try:
        secrets = Passphrase(passphrase, str((manager.state or {}).get("salt")))
        secrets.check()
    except WrongPassphrase as error:
        raise StateRefused(f"{source} cannot be opened: {error}") from error
    return secrets


@dataclass
class _Sealed:
    """The secrets of one document while it is read."""

    secrets: Passphrase
    ciphers: Ciphers
    plaintext: bool = False

    def opened(self, value: Any, path: tuple[str, ...]) -> Any:
        """A property's value with what is sealed in it opened, its ciphertext kept by its place."""
        if isinstance(value, list):
            return [self.opened(element, (*path, str(index))) for index, element in enumerate(value)]
        if not isinstance(value, dict):
            return values.UNKNOWN if value == values.UNKNOWN_TEXT else value
        if value.get(values.SIGNATURE) != values.SECRET:
            return values.signed({key: self.opened(element, (*path, key)) for key, element in value.items()})
        if "ciphertext" in value:
            text = self.secrets.decrypt(value["ciphertext"])
            self.ciphers[path] = (text, value["ciphertext"])
        else:
            text, self.plaintext = value["plaintext"], self.plaintext or bool(path)
        return values.Secret(values.bare(self.opened(json.loads(text), ())))
