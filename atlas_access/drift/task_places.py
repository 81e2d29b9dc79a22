"""Where a task definition holds or is handed a credential: every field of every container, and those around them.

Pure: what DescribeTaskDefinition answers goes in, places come out. Only where a value is found is kept, not the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from atlas_access.drift.model import VARIABLES, BoundVariable

_URI = re.compile(r"mongodb(?:\+srv)?://", re.IGNORECASE)
_SECRET = re.compile(r"arn:[a-z-]+:secretsmanager:[^\s\"',;]+")
_CONTAINERS, _ENVIRONMENT = "containerDefinitions", "environment"


def containers_of(definition: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Every container of a definition."""
    return tuple(each for each in definition.get(_CONTAINERS) or () if isinstance(each, Mapping))


def is_connection(text: object) -> bool:
    """Whether a text has a connection string in it."""
    return _URI.search(str(text)) is not None


def bound_variables(definition: Mapping[str, Any]) -> tuple[BoundVariable, ...]:
    """What every container's variables are read from, and every secret that another field of it names."""
    found: list[BoundVariable] = []
    for container in containers_of(definition):
        name = str(container.get("name", ""))
        found += [
            BoundVariable(str(entry["name"]), str(entry["valueFrom"]), name)
            for entry in container.get(VARIABLES) or ()
        ]
        found += [
            BoundVariable(field, reference, name, field)
            for field, value in container.items()
            if field not in (VARIABLES, _ENVIRONMENT)
            for text in _texts(value)
            for reference in _SECRET.findall(text)
        ]
    return tuple(found)


def connection_places(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields, but for plain variables, in which a connection string stands."""
    inside = [
        f"{field} of the container {container.get('name', '')}"
        for container in containers_of(definition)
        for field, value in container.items()
        if field != _ENVIRONMENT and any(map(is_connection, _texts(value)))
    ]
    around = [
        field
        for field, value in definition.items()
        if field != _CONTAINERS and any(map(is_connection, _texts(value)))
    ]
    return (*inside, *around)


def environment_files(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """The files that containers take variables from, in words."""
    return tuple(
        f"environment file {entry.get('value', '')} of the container {container.get('name', '')}"
        for container in containers_of(definition)
        for entry in container.get("environmentFiles") or ()
    )


def _texts(value: object) -> Iterator[str]:
    """Every text in a field, the names of its entries too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield str(name)
            yield from _texts(each)
    elif isinstance(value, Iterable):
        for each in value:
            yield from _texts(each)
