"""Task definitions with their bindings, and the proofs of what they bind, read without trust; no plain values are kept.

A proof names the secret and the version it tried; its type and inputs are the program's interface.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policy.reader import Problem, Reader
from policy.resources import Resource
from policy.secret_reference import SecretReference, parse_secret_reference
from policy.values import Marker, Text, Value, texts

_BOUND = re.compile(r"\[\d+\]\.secrets\[\d+\]\.valueFrom")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/(?P<name>.+)", re.DOTALL)


@dataclass(frozen=True)
class Binding:
    """One variable of a container; `reference` is None where it is plain, or its `valueFrom` no secret's ARN."""

    path: str
    container: str
    variable: str
    reference: SecretReference | None = None
    unknown: Marker | None = None
    source: str = ""


@dataclass(frozen=True)
class TaskView:
    """An `aws.ecs.TaskDefinition`. `unseen` is why the containers cannot be seen, None where they can.

    `others` are all texts besides `secrets` with their path: a log driver's option, a plain variable's value. `files`
    are the paths of lists of files that variables are read from.
    """

    family: Text | None
    skip_destroy: bool | Marker | None
    execution_role: Text | None
    task_role: Text | None
    containers: tuple[str, ...]
    bindings: tuple[Binding, ...]
    plain: tuple[Binding, ...]
    unseen: Marker | None
    problems: tuple[Problem, ...]
    others: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()


def role_name(text: Text | None) -> Text | None:
    """The name of an IAM role given by name or ARN, with its path: a role of another path is another one."""
    match = _ROLE.fullmatch(text) if isinstance(text, str) else None
    return match["name"] if match else text


def task_view(resource: Resource) -> TaskView:
    """Read a task definition; what cannot be read is left out and listed in `problems`."""
    reader = Reader(resource.props)
    family = reader.text("family", required=True)
    document = reader.document("containerDefinitions", required=True)
    containers = Reader({"containerDefinitions": document}, "", reader.problems)
    listed = containers.objects("containerDefinitions")
    unseen = document if isinstance(document, Marker) else None
    names: list[str] = []
    bindings: list[Binding] = []
    plain: list[Binding] = []
    files: list[str] = []
    if isinstance(listed, Marker):
        unseen = listed
    else:
        for index, container in enumerate(listed):
            name = container.text("name")
            if isinstance(name, Marker):
                unseen = name
                continue
            files += [container.path(key) for key in ("environmentFiles",) if container.value(key)]
            names.append(name if name is not None else f"container {index}")
            unseen = _read_container(container, names[-1], bindings, plain) or unseen
    return TaskView(
        family,
        reader.flag("skipDestroy"),
        reader.text("executionRoleArn"),
        reader.text("taskRoleArn"),
        tuple(names),
        tuple(bindings),
        tuple(plain),
        unseen,
        tuple(reader.problems),
        tuple(sorted(_others(document))),
        tuple(files),
    )


def _others(document: Value) -> Iterator[tuple[str, str]]:
    for path, text in texts(document):
        if not _BOUND.fullmatch(path) and not path.endswith("<key>"):
            yield f"containerDefinitions{path}", text


def _read_container(
    container: Reader, name: str, bindings: list[Binding], plain: list[Binding]
) -> Marker | None:
    unseen = None
    for key in ("secrets", "environment"):
        entries = container.objects(key)
        if isinstance(entries, Marker):
            unseen = entries
            continue
        for entry in entries:
            variable = entry.text("name", required=True)
            if isinstance(variable, Marker):
                unseen = variable
            elif variable is not None and key == "secrets":
                bindings.append(_binding(entry, name, variable))
            elif variable is not None:
                plain.append(Binding(entry.path("name"), name, variable))
    return unseen


def _binding(entry: Reader, container: str, variable: str) -> Binding:
    source = entry.text("valueFrom", required=True)
    path = entry.path("valueFrom")
    if isinstance(source, str):
        return Binding(path, container, variable, parse_secret_reference(source), source=source)
    return Binding(path, container, variable, None, source)


@dataclass(frozen=True)
class ProofView:
    """A `PrivilegeProof`: inputs while it is registered, the verdict and its attempts once the stack is judged."""

    secret_arn: Text | None
    secret_version: Text | None
    verdict: Text | None
    attempts: float | Marker | None
    problems: tuple[Problem, ...]


def proof_view(resource: Resource) -> ProofView:
    """Read a proof; property names are accepted in both spellings that dynamic resources use."""
    reader = Reader(resource.props)
    return ProofView(
        secret_arn=reader.text("secret_arn", "secretArn", required=True),
        secret_version=reader.text("secret_version", "secretVersion", required=True),
        verdict=reader.text("verdict"),
        attempts=reader.number("attempts"),
        problems=tuple(reader.problems),
    )
