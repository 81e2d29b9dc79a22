"""Task definitions and their bindings, read without trust; values of plain variables are not kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policy.reader import Problem, Reader
from policy.resources import Resource
from policy.secret_reference import SecretReference, parse_secret_reference
from policy.values import Marker, Text, Value, texts

_NAMES_A_SECRET = re.compile(r":secret:[^:]*/mongodb/")
_BOUND = re.compile(r"\[\d+\]\.secrets\[\d+\]\.valueFrom")


@dataclass(frozen=True)
class Binding:
    """One entry of a container's `secrets`; `reference` is None where `valueFrom` is no secret's ARN."""

    path: str
    variable: str
    reference: SecretReference | None
    unknown: Marker | None = None


@dataclass(frozen=True)
class TaskView:
    """An `aws.ecs.TaskDefinition`. `unseen` is why the containers cannot be seen, None where they can.

    `elsewhere` are the places besides `secrets` that name a MongoDB secret: a log driver's option, a plain variable.
    """

    family: Text | None
    skip_destroy: bool | Marker | None
    bindings: tuple[Binding, ...]
    plain: tuple[tuple[str, str], ...]
    unseen: Marker | None
    problems: tuple[Problem, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def variables(self) -> frozenset[str]:
        """Every variable that a container is given, as a secret or in plain."""
        return frozenset(bound.variable for bound in self.bindings) | {name for _, name in self.plain}


def task_view(resource: Resource) -> TaskView:
    """Read a task definition; what cannot be read is left out and listed in `problems`."""
    reader = Reader(resource.props)
    family = reader.text("family", required=True)
    skip_destroy = reader.flag("skipDestroy")
    document = reader.document("containerDefinitions", required=True)
    bindings: list[Binding] = []
    plain: list[tuple[str, str]] = []
    unseen = document if isinstance(document, Marker) else None
    containers = Reader({"containerDefinitions": document}, "", reader.problems)
    listed = containers.objects("containerDefinitions")
    if isinstance(listed, Marker):
        unseen = listed
    else:
        for container in listed:
            unseen = _read_container(container, bindings, plain) or unseen
    return TaskView(
        family,
        skip_destroy,
        tuple(bindings),
        tuple(plain),
        unseen,
        tuple(reader.problems),
        tuple(sorted(_elsewhere(document))),
    )


def _elsewhere(document: Value) -> Iterator[str]:
    for path, text in texts(document):
        if _NAMES_A_SECRET.search(text) and not _BOUND.fullmatch(path):
            yield f"containerDefinitions{path}"


def _read_container(
    container: Reader, bindings: list[Binding], plain: list[tuple[str, str]]
) -> Marker | None:
    unseen = None
    for key in ("secrets", "environment"):
        entries = container.objects(key)
        if isinstance(entries, Marker):
            unseen = entries
            continue
        for entry in entries:
            name = entry.text("name", required=True)
            if isinstance(name, Marker):
                unseen = name
            elif name is not None and key == "secrets":
                bindings.append(_binding(entry, name))
            elif name is not None:
                plain.append((entry.path("name"), name))
    return unseen


def _binding(entry: Reader, variable: str) -> Binding:
    source = entry.text("valueFrom", required=True)
    path = entry.path("valueFrom")
    if isinstance(source, str):
        return Binding(path, variable, parse_secret_reference(source))
    return Binding(path, variable, None, source)
