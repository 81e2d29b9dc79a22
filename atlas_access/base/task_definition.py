"""Decides what a task definition's Mongo bindings become, and nothing else of it.

The input is the definition that runs (as DescribeTaskDefinition answers); the output is the same definition with
its Mongo `secrets` replaced. What this module does not know it refuses to drop. It never reads or registers anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: What ECS adds to a registered revision; none of it can be registered again (API RegisterTaskDefinition).
REGISTRATION_FACTS = frozenset(
    {
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
        "deleteRequestedAt",
    }
)

_REFERENCE = re.compile(
    r"(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:]+)(?::([^:]*):([^:]*):([^:]*))?"
)


class DefinitionUnusable(ValueError):
    """A running definition cannot be bound as asked; the message names the family, the problem and the remedy."""


@dataclass(frozen=True)
class BoundSecret:
    """One variable and the exact secret version it is read from."""

    variable: str
    secret_arn: str
    version_id: str

    @property
    def value_from(self) -> str:
        """The ECS reference `arn:json-key:version-stage:version-id`, pinned to the version."""
        return f"{self.secret_arn}:::{self.version_id}"


@dataclass(frozen=True)
class MongoVariables:
    """The variable names that the manifest governs.

    `deprecated` maps each old name to the variable that succeeds it.
    """

    bound: frozenset[str]
    deprecated: Mapping[str, str]

    def governs(self, name: str) -> bool:
        """Whether the binding of `name` is ours to decide."""
        return name in self.bound or name in self.deprecated


def registrable(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition as RegisterTaskDefinition takes it back.

    Without what ECS added, what is null, and tags of AWS's own (`aws:`), which AWS refuses; a tag without a value has
    an empty one.

    Raises:
        DefinitionUnusable: a list holds an entry without its name, key or reference.
    """
    kept: dict[str, Any] = {
        key: _without_nulls(value) for key, value in definition.items() if value is not None
    }
    family = str(kept.get("family", "?"))
    for key in REGISTRATION_FACTS:
        kept.pop(key, None)
    tags = _entries(family, "tags", kept.pop("tags", []), "key")
    own = [{"value": "", **each} for each in tags if not str(each["key"]).startswith("aws:")]
    containers = _entries(family, "containerDefinitions", kept.get("containerDefinitions", []), "name")
    _entries(family, "volumes", kept.get("volumes", []), "name")
    for each in containers:
        where = f"container {each['name']}: "
        _entries(family, f"{where}secrets", each.get("secrets", []), "name", "valueFrom")
        for entry in _entries(family, f"{where}environment", each.get("environment", []), "name"):
            entry.setdefault("value", "")
    return {
        **kept,
        **({"containerDefinitions": containers} if containers else {}),
        **({"tags": own} if own else {}),
    }


def bind(
    definition: Mapping[str, Any],
    *,
    container: str,
    secrets: Sequence[BoundSecret],
    variables: MongoVariables,
    keep_deprecated: bool,
    image: str = "",
) -> dict[str, Any]:
    """Return the definition to register: `container` bound to exactly `secrets`, all else as `registrable` has it.

    With `keep_deprecated`, a deprecated variable that is bound today keeps its name and receives its successor's
    new secret, so that unchanged code keeps working; otherwise it is dropped. Applying
    `bind` to its own result changes nothing.

    Raises:
        DefinitionUnusable: the container is missing, a Mongo variable is set in plain `environment` as well, a Mongo
            variable is bound that the manifest does not know, another container keeps one that it does, or the
            definition is none that ECS describes.
    """
    result = registrable(definition)
    family = str(result.get("family", "?"))
    containers: list[dict[str, Any]] = result.get("containerDefinitions", [])
    target = next((each for each in containers if each.get("name") == container), None)
    if target is None:
        names = ", ".join(str(each.get("name")) for each in containers) or "none"
        raise DefinitionUnusable(
            f"{family}: no container named {container!r} (it has: {names}). Set atlas-access:runtimeContainer."
        )
    _refuse_unknown(family, containers, variables)
    _refuse_kept(family, containers, container, variables)
    _refuse_plain(family, target, {secret.variable for secret in secrets} | set(variables.deprecated))
    target["secrets"] = _bound(target.get("secrets", []), secrets, variables, keep_deprecated=keep_deprecated)
    if image:
        target["image"] = image
    result["containerDefinitions"] = containers
    return result


def canonical_containers(definition: Mapping[str, Any]) -> str:
    """The container definitions as JSON with sorted keys, so that equal definitions are equal text."""
    return json.dumps(definition["containerDefinitions"], sort_keys=True, separators=(",", ":"))


def secret_references(definition: Mapping[str, Any], container: str | None = None) -> dict[str, str]:
    """Variable to `valueFrom` of one container, or of all of them."""
    return {
        str(entry["name"]): str(entry["valueFrom"])
        for each in definition.get("containerDefinitions") or ()
        if container in (None, each.get("name"))
        for entry in each.get("secrets") or ()
    }


@dataclass(frozen=True)
class SecretReference:
    """A `valueFrom` of Secrets Manager: the secret, and the JSON key, stage and version it names ("" for none)."""

    arn: str
    key: str = ""
    stage: str = ""
    version: str = ""

    @classmethod
    def parse(cls, value_from: str) -> SecretReference | None:
        """The reference that a text is, None for a parameter or anything else."""
        match = _REFERENCE.fullmatch(value_from)
        return None if match is None else cls(*(part or "" for part in match.groups()))

    @property
    def name(self) -> str:
        """The secret's name, without the suffix that AWS adds."""
        return re.sub(r"-[A-Za-z0-9]{6}$", "", self.arn.split(":secret:", 1)[-1])


def same_definition(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether two revisions run alike: everything that is registered is equal but for tags."""
    return _without_versions(before, ()) == _without_versions(after, ())


def changed_versions(
    before: Mapping[str, Any], after: Mapping[str, Any], free: Collection[str]
) -> frozenset[str]:
    """The variables among `free` that receive another version of the same secret; empty where anything else differs."""
    versions = secret_references(before), secret_references(after)
    if _without_versions(before, free) != _without_versions(after, free):
        return frozenset()
    return frozenset(name for name in free if versions[0].get(name) != versions[1].get(name))


def _without_versions(definition: Mapping[str, Any], free: Collection[str]) -> dict[str, Any]:
    """The registration without the versions of these variables; tags are ours, and say nothing of what runs."""

    def entry(each: Mapping[str, Any]) -> dict[str, Any]:
        reference = SecretReference.parse(str(each.get("valueFrom")))
        if each.get("name") not in free or reference is None:
            return dict(each)
        return {**each, "valueFrom": reference.arn}

    asked = with_secrets(registrable(definition), entry)
    asked.pop("tags", None)
    return asked


def with_secrets(
    definition: Mapping[str, Any], change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> dict[str, Any]:
    """The definition with each entry of its containers' `secrets` changed; everything else is kept."""
    containers = [
        {**each, "secrets": [change(entry) for entry in each["secrets"]]} if each.get("secrets") else each
        for each in definition.get("containerDefinitions") or ()
    ]
    return {**definition, "containerDefinitions": containers}


def _bound(
    current: Iterable[Mapping[str, Any]],
    secrets: Sequence[BoundSecret],
    variables: MongoVariables,
    *,
    keep_deprecated: bool,
) -> list[dict[str, str]]:
    """The new `secrets` list: entries keep their place, what is new is appended in the order given."""
    wanted = {secret.variable: secret.value_from for secret in secrets}
    if keep_deprecated:
        wanted |= {
            old: wanted[successor] for old, successor in variables.deprecated.items() if successor in wanted
        }
    result: list[dict[str, str]] = []
    placed: set[str] = set()
    for entry in current:
        name = str(entry["name"])
        if not variables.governs(name):
            result.append({"name": name, "valueFrom": str(entry["valueFrom"])})
        elif name in wanted and name not in placed:
            placed.add(name)
            result.append({"name": name, "valueFrom": wanted[name]})
    result += [
        {"name": secret.variable, "valueFrom": secret.value_from}
        for secret in secrets
        if secret.variable not in placed
    ]
    return result


def _refuse_unknown(family: str, containers: Iterable[Mapping[str, Any]], variables: MongoVariables) -> None:
    """A Mongo binding that the manifest does not know is somebody's decision, not ours to drop or keep."""
    for each in containers:
        for entry in each.get("secrets", []) or []:
            name = str(entry["name"])
            if name.startswith("MONGODB_") and not variables.governs(name):
                raise DefinitionUnusable(
                    f"{family}: container {each.get('name')} binds {name}, which access.yaml does not know. "
                    "Declare it under bindings: or deprecated_variables:, or remove it from the task definition."
                )


def _refuse_kept(
    family: str, containers: Iterable[Mapping[str, Any]], bound: str, variables: MongoVariables
) -> None:
    """Only one container is bound: another one would keep the old credential, which is to go."""
    for each in containers:
        kept = (
            sorted(name for name in _names(each) if variables.governs(name)) if each["name"] != bound else []
        )
        if kept:
            raise DefinitionUnusable(
                f"{family}: container {each['name']} keeps {', '.join(kept)}, but only container {bound} receives new "
                "credentials. Remove it there, or set atlas-access:runtimeContainer to the container that needs it."
            )


def _names(container: Mapping[str, Any]) -> set[str]:
    return {str(entry["name"]) for entry in container.get("secrets", [])}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list | tuple) else value


def _entries(family: str, where: str, found: Any, *needed: str) -> list[dict[str, Any]]:
    """A list's entries. Raises `DefinitionUnusable` unless each has what is needed."""
    entries = found if isinstance(found, list) else [found]
    for number, each in enumerate(entries, start=1):
        lost = [key for key in needed if not isinstance(each, Mapping) or not each.get(key)]
        if lost:
            raise DefinitionUnusable(
                f"{family}: {where}: entry {number} has no {' and no '.join(lost)}. Register a revision without it."
            )
    return entries


def _refuse_plain(family: str, container: Mapping[str, Any], names: set[str]) -> None:
    """ECS refuses a name in both lists, and a connection string in plain `environment` is a leak."""
    plain = sorted(
        str(entry["name"]) for entry in container.get("environment", []) or [] if entry["name"] in names
    )
    if plain:
        raise DefinitionUnusable(
            f"{family}: {', '.join(plain)} set in plain environment of container {container.get('name')}. "
            "Remove it there: a credential is bound from Secrets Manager only."
        )
