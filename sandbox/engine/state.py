"""A stack's resources as records, and their form in Pulumi's deployment format, version 3.

Pure: reads and writes texts, not files. Must never write a secret in plaintext.
"""

import datetime
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from sandbox.engine import values
from sandbox.engine.passphrase import Passphrase, WrongPassphrase

VERSION = 3
Ciphers = dict[tuple[str, ...], tuple[str, str]]


class StateRefused(Exception):
    """A state that this engine cannot continue; its file is left as it is."""


@dataclass(eq=False)
class Resource:
    """One resource of a stack. Two records may share a URN: a replacement keeps the old one until it is deleted."""

    urn: str
    custom: bool
    delete: bool = False
    id: str = ""
    type: str = ""
    inputs: values.Properties = field(default_factory=dict)
    outputs: values.Properties = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    external: bool = False
    dependencies: tuple[str, ...] = ()
    init_errors: tuple[str, ...] = ()
    provider: str = ""
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: tuple[str, ...] = ()
    import_id: str = ""
    retain_on_delete: bool = False
    created: str = ""
    modified: str = ""
    ignore_changes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.split("::", 3)[3]

    @property
    def provider_urn(self) -> str:
        """The URN of the provider that manages it, "" for a component."""
        return self.provider.rpartition("::")[0]

    def needs(self) -> set[str]:
        """URNs that must exist while this resource does, its parent apart."""
        named = {urn for urns in self.property_dependencies.values() for urn in urns}
        return named.union(self.dependencies, filter(None, [self.provider_urn]))

    def copy(self, **changes: Any) -> "Resource":
        """A record of its own with `changes` applied."""
        return Resource(**{**{item.name: getattr(self, item.name) for item in fields(self)}, **changes})


@dataclass(frozen=True)
class Pending:
    """An operation that was begun and not seen to end: creating, updating, deleting, reading or importing."""

    kind: str
    resource: Resource


@dataclass(frozen=True)
class State:
    """What a state file holds: resources in an order in which each follows what it needs."""

    resources: tuple[Resource, ...]
    pending: tuple[Pending, ...]
    secrets: Passphrase
    ciphers: Ciphers
    metadata: dict[str, Any] = field(default_factory=dict)


_KEYS = {
    "init_errors": "initErrors",
    "property_dependencies": "propertyDependencies",
    "pending_replacement": "pendingReplacement",
    "additional_secret_outputs": "additionalSecretOutputs",
    "import_id": "importID",
    "retain_on_delete": "retainOnDelete",
    "ignore_changes": "ignoreChanges",
}
_NAMES = tuple(item.name for item in fields(Resource))
_BY_KEY = {_KEYS.get(name, name): name for name in _NAMES}
# Where the program's lines are is for display alone; the paths in it belong to one machine.
_DROPPED = {"sourcePosition", "stackTrace"}


def now() -> str:
    """The present moment as the format writes it: UTC, RFC 3339."""
    return datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")


def resource_to_json(resource: Resource, secrets: Passphrase, ciphers: Ciphers) -> str:
    """One line of JSON. `ciphers` keeps the ciphertext of a secret that did not change, so that the file is stable."""
    record: dict[str, Any] = {}
    for name in _NAMES:
        value = getattr(resource, name)
        if name in ("inputs", "outputs"):
            value = _sealed(value, (resource.urn, resource.id, name), secrets, ciphers)
        elif isinstance(value, tuple):
            value = list(value)
        elif name == "property_dependencies":
            value = {key: list(urns) for key, urns in sorted(value.items())}
        if value or name == "custom":
            record[_KEYS.get(name, name)] = value
    return json.dumps(record, ensure_ascii=False)


def _sealed(value: Any, path: tuple[str, ...], secrets: Passphrase, ciphers: Ciphers) -> Any:
    if isinstance(value, values.Secret):
        text = json.dumps(_plain(value.element), separators=(",", ":"), ensure_ascii=False, sort_keys=True)
        if ciphers.get(path, ("", ""))[0] != text:
            ciphers[path] = (text, secrets.encrypt(text))
        return {values.SIGNATURE: values.SECRET, "ciphertext": ciphers[path][1]}
    if isinstance(value, dict):
        return {key: _sealed(value[key], (*path, key), secrets, ciphers) for key in sorted(value)}
    if isinstance(value, list):
        return [
            _sealed(element, (*path, str(index)), secrets, ciphers) for index, element in enumerate(value)
        ]
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(
        value, values.Secret
    ):  # inside a secret the marker stays and the text is sealed with it all
        return {values.SIGNATURE: values.SECRET, "plaintext": json.dumps(_plain(value.element))}
    if isinstance(value, values.Reference):
        named = {
            values.SIGNATURE: values.REFERENCE,
            "urn": value.urn,
            "packageVersion": value.package_version,
        }
        return named if value.id is None else {**named, "id": "" if value.id is values.UNKNOWN else value.id}
    if value is values.UNKNOWN:
        return values.UNKNOWN_TEXT
    if isinstance(value, dict):
        return {key: _plain(element) for key, element in value.items()}
    return [_plain(element) for element in value] if isinstance(value, list) else value


def state_to_json(
    lines: Iterable[str], pending: Iterable[tuple[str, str]], secrets: Passphrase, metadata: dict[str, Any]
) -> str:
    """The whole file: `lines` are resources as `resource_to_json` made them, `pending` pairs of kind and line."""
    manifest = {"time": now(), "magic": "", "version": ""}
    manager = {"type": "passphrase", "state": {"salt": secrets.salt()}}
    head = f'"manifest": {json.dumps(manifest)},\n"secrets_providers": {json.dumps(manager)}'
    listed = ",\n".join(lines)
    body = f',\n"resources": [\n{listed}\n]' if listed else ""
    begun = ",\n".join(f'{{"resource": {line}, "type": {json.dumps(kind)}}}' for kind, line in pending)
    tail = f',\n"pending_operations": [\n{begun}\n]' if begun else ""
    return f'{{"version": {VERSION}, "deployment": {{\n{head}{body}{tail},\n"metadata": {json.dumps(metadata)}\n}}}}\n'


def state_from_json(text: str, passphrase: str, source: str) -> State:
    """The state that `text` holds; raises StateRefused with `source`, what is wrong and the way out."""
    try:
        document = json.loads(text)
    except ValueError as error:
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
    deployment = document.get("deployment")
    if not isinstance(deployment, dict) or "manifest" not in deployment:
        raise StateRefused(f"{source} has no deployment; point to the file that `pulumi stack export` writes")
    if foreign := sorted(set(deployment) & {"snippets", "extensions"}):
        raise StateRefused(
            f"{source} uses {', '.join(foreign)}, which this engine does not support; use the pulumi CLI"
        )
    manager = deployment.get("secrets_providers") or {}
    if manager and manager.get("type") != "passphrase":
        raise StateRefused(
            f"{source} is sealed by {manager.get('type')}; this engine opens passphrase states only"
        )
    ciphers: Ciphers = {}
    try:
        secrets = Passphrase(passphrase, manager["state"]["salt"] if manager else None)
        secrets.check()
        read = _reader(secrets, ciphers)
        resources = tuple(read(record) for record in deployment.get("resources") or ())
        pending = tuple(
            Pending(record["type"], read(record["resource"]))
            for record in deployment.get("pending_operations") or ()
        )
    except WrongPassphrase as error:
        raise StateRefused(f"{source} cannot be opened: {error}") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StateRefused(
            f"{source} is damaged ({type(error).__name__}: {error}); restore a copy of it"
        ) from error
    return State(resources, pending, secrets, ciphers, deployment.get("metadata") or {})


def check_whole(state: State, source: str) -> None:
    """Raises StateRefused unless each resource follows what it names, and has its URN for itself, as Pulumi demands."""
    live: set[str] = set()
    known: set[str] = set()
    for item in state.resources:
        lost = ({item.parent, item.provider} | item.needs()) - known - {""}
        if lost or (item.urn in live and not item.delete):
            reason = f"needs {min(lost)}, which does not stand before it" if lost else "stands in it twice"
            raise StateRefused(f"{source} is damaged ({item.urn} {reason}); restore a copy of it")
        known |= {item.urn, f"{item.urn}::{item.id}"}
        live |= set() if item.delete else {item.urn}


def _reader(secrets: Passphrase, ciphers: Ciphers) -> Callable[[dict[str, Any]], Resource]:
    def opened(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [opened(element, (*path, str(index))) for index, element in enumerate(value)]
        if not isinstance(value, dict):
            return values.UNKNOWN if value == values.UNKNOWN_TEXT else value
        if value.get(values.SIGNATURE) == values.SECRET:
            text = secrets.decrypt(value["ciphertext"]) if "ciphertext" in value else value["plaintext"]
            if "ciphertext" in value:
                ciphers[path] = (text, value["ciphertext"])
            return values.Secret(values.bare(opened(json.loads(text), ())))
        return values.signed({key: opened(element, (*path, key)) for key, element in value.items()})

    def read(record: dict[str, Any]) -> Resource:
        known: dict[str, Any] = {}
        for key, value in record.items():
            if key in _DROPPED:
                continue
            if key not in _BY_KEY:
                raise ValueError(f"{record['urn']} uses {key}, which this engine does not support")
            name = _BY_KEY[key]
            if name in ("inputs", "outputs"):
                value = {
                    k: opened(v, (record["urn"], record.get("id", ""), name, k)) for k, v in value.items()
                }
            elif name == "property_dependencies":
                value = {k: tuple(urns or ()) for k, urns in value.items()}
            known[name] = tuple(value) if isinstance(value, list) else value
        return Resource(**known)

    return read
