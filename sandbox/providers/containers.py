"""Compares container definitions in a normal form, and writes them into the state. Pure.

ECS fills in defaults and empty lists and does not keep the order of names. Defaults: ECS API reference
(ContainerDefinition, PortMapping, HealthCheck).
"""

import json
from typing import Final

from sandbox.engine.values import Properties, Value

_HEALTH_CHECK: Final = {"interval": 30, "timeout": 5, "retries": 3}
_NAMED: Final = ("environment", "secrets")


def equivalent(old: Value, new: Value, inputs: Properties) -> bool:
    """Whether two JSON texts define the same containers, given the task's network mode."""
    awsvpc = inputs.get("networkMode") == "awsvpc"
    try:
        before, after = parsed(old), parsed(new)
    except (TypeError, ValueError):
        return bool(old == new)
    return _normal(before, awsvpc=awsvpc) == _normal(after, awsvpc=awsvpc)


def written(definitions: list[Properties]) -> str:
    """The text that the state holds: containers, variables and secrets ordered by name, keys sorted."""
    ordered = [
        {**one, **{key: sorted(one[key], key=_name) for key in _NAMED if one.get(key)}}
        for one in sorted(definitions, key=_name)
    ]
    return json.dumps(ordered, separators=(",", ":"), sort_keys=True)


def parsed(text: str) -> list[Properties]:
    """The definitions in a JSON text; raises ValueError saying what is wrong, without quoting it."""
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError("ECS Task Definition container_definitions is invalid: not JSON") from None
    if not isinstance(found, list) or not all(isinstance(item, dict) and item.get("name") for item in found):
        raise ValueError(
            "ECS Task Definition container_definitions is invalid: not a list of objects with names"
        )
    return found


def _name(item: Properties) -> str:
    return str(item.get("name", ""))


def _normal(definitions: list[Properties], *, awsvpc: bool) -> list[Properties]:
    return sorted((_normal_definition(one, awsvpc=awsvpc) for one in definitions), key=_name)


def _normal_definition(definition: Properties, *, awsvpc: bool) -> Properties:
    normal = {**definition, **{key: sorted(definition.get(key) or [], key=_name) for key in _NAMED}}
    normal["essential"] = definition.get("essential") is not False
    normal["cpu"] = definition.get("cpu") or 0
    normal["portMappings"] = sorted(
        (_port(mapping, awsvpc=awsvpc) for mapping in definition.get("portMappings") or []), key=repr
    )
    if definition.get("healthCheck"):
        normal["healthCheck"] = {**_HEALTH_CHECK, **(_without_empty(definition["healthCheck"]) or {})}
    return dict(_without_empty(normal))


def _port(mapping: Properties, *, awsvpc: bool) -> Properties:
    port = {"protocol": "tcp", "hostPort": 0, **{k: v for k, v in mapping.items() if v is not None}}
    if awsvpc:
        # With awsvpc a container's port is the host's port, given or not.
        port["hostPort"] = port.get("containerPort", 0)
    return dict(sorted(port.items()))


def _without_empty(value: Value) -> Value:
    if isinstance(value, dict):
        kept = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item not in ("", [], {})}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value
