"""Guard *terraform-ownership*: whether Terraform has let go of the service's task definition, and of the secrets.

Two owners of one task definition undo each other, and a secret that Terraform still declares is made again by an apply
after the retirement. What decides out of sight is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from atlas_access.base import Finding, Location, Status
from atlas_access.code import UNKNOWN, Block, Idioms, Node, Unreadable, blocks_of, read_idioms

_IGNORE = "Add lifecycle { ignore_changes = [task_definition] } and apply it first."
_STATE = "Where Terraform ignores the task definition, state terraform-released in atlas-access:acknowledged."
_HANDOVER = "Let Terraform forget it without destroying it: docs/runbooks/terraform-handover.md."
_COMMAND = re.compile(r"\becs\s+update-service\b(?=.*--task-definition)", re.DOTALL)


def judge_directory(
    directory: Path, service: str, ours: Collection[str] = (), idioms: Idioms | None = None
) -> Finding:
    """Read the Terraform files below a directory: good where Terraform has released `service`, bad where it owns it.

    `ours` are the ARNs of revisions that this project registered.
    """
    try:
        blocks = blocks_of(directory)
    except (Unreadable, OSError) as error:
        return _found(Status.UNKNOWN, str(error), _STATE, None)
    known = idioms or read_idioms()
    released: list[Location] = []
    doubtful: list[Finding] = []
    for block in blocks:
        for name, free, what in _owners(block, known, ours):
            may_be = _matches(name, service)
            if may_be is False:
                continue
            if free and name == service:
                released.append(block.where)
            elif name == service and block.certain and free is False:
                message = f"{what} sets the task definition of {service}: the next apply would undo ours"
                return _found(Status.BAD, message, _IGNORE, block.where)
            elif not free:
                why = (
                    "whether it exists is decided elsewhere" if name == service else "its name is no literal"
                )
                message = f"{what} may be {service} ({why})"
                doubtful.append(_found(Status.UNKNOWN, message, _STATE, block.where))
    sure = [each for each in doubtful if "out of sight" not in each.message or not released]
    if sure:
        return sure[0]
    if released:
        return _found(Status.GOOD, f"ignores changes of the task definition of {service}", "", released[0])
    modules = any(block.kind == "module" for block in blocks)
    where = "it may be in a module" if modules else "no file of Terraform does"
    if not blocks:
        return _found(Status.UNKNOWN, f"{directory} holds no Terraform resource", _STATE, None)
    return _found(Status.UNKNOWN, f"no aws_ecs_service names {service}; {where}", _STATE, None)


def declared_secrets(
    directory: Path, names: Mapping[str, str], idioms: Idioms | None = None
) -> list[Finding]:
    """The secrets of `names` (each with what it is: legacy, adopted, owned) that Terraform declares, or may declare."""
    try:
        blocks = blocks_of(directory)
    except (Unreadable, OSError) as error:
        return [_found(Status.UNKNOWN, str(error), _HANDOVER, None)]
    table = (idioms or read_idioms()).table["terraform_secrets"]
    found = []
    for block in blocks:
        kinds = (each for each in table if re.search(each if "/" in each else f"^{each}$", block.type))
        kind = next(kinds, None)
        if kind is None:
            continue
        argument = table[kind]
        value = block.known(argument)
        if value is None and argument == "name" and isinstance(block.known("name_prefix"), str):
            value = re.compile(re.escape(block.known("name_prefix")) + ".*")
        if argument != "name" and not isinstance(value, str):
            continue  # the secret itself is judged
        for name, of_kind in names.items():
            answer = _matches(value, name)
            answer = answer or (f":secret:{name}-" in value if isinstance(value, str) else answer)
            if answer is False:
                continue
            certain = answer is True and block.certain
            what = f"{block.type}.{block.name} {'declares' if certain else 'may declare'} the {of_kind} secret {name}"
            found.append(_found(Status.BAD if certain else Status.UNKNOWN, what, _HANDOVER, block.where))
            if not certain:
                break  # one of many that it may be
    return found


def _owners(block: Block, idioms: Idioms, ours: Collection[str]) -> Iterator[tuple[Any, bool | None, str]]:
    """What sets a service's task definition: the service's name, whether it lets go of it, and what it is."""
    what = f"{block.type}.{block.name}"
    if block.kind == "module":
        yield from _of_module(block, idioms)
    elif block.type in ("aws_ecs_service", "awscc_ecs_service"):
        name = block.known("name") if block.type.startswith("aws_") else block.known("service_name")
        free = _ignores(block) or block.known("task_definition") in ours
        yield UNKNOWN if name is None else name, free, what
    elif block.type == "aws_codedeploy_deployment_group":
        for section in block.sections("ecs_service"):
            yield _inner(block, section, "service_name"), False, what
    elif block.type == "aws_ecs_task_set":
        yield block.known("service") or UNKNOWN, False, what
    else:
        for section in block.sections("provisioner local-exec"):
            for node in section.walk():
                text = "".join(each.text if each.kind == "text" else "{}" for each in node.parts or (node,))
                if node.kind in ("text", "template") and _COMMAND.search(text):
                    name = re.search(r"--service[= ]+(\S+)", text)
                    yield UNKNOWN if name is None or "{}" in name[1] else name[1].strip("'\""), False, what


def _inner(block: Block, section: Node, name: str) -> Any:
    value = block.inner(section).get(name)
    return UNKNOWN if value is None else value


def _of_module(block: Block, idioms: Idioms) -> Iterator[tuple[Any, bool | None, str]]:
    what = f"module.{block.name}"
    table = idioms.table["terraform_modules"]
    row = next((row for row in table if re.search(row["source"], block.type)), None)
    if row is None:
        for value in filter(lambda each: isinstance(each, str), block.arguments.values()):
            yield value, None, f"{what} (of {block.type}, which is out of sight)"
        return
    calls: Mapping[str, Any] = {"": block.arguments}
    if "each" in row:
        several = block.known(row["each"])
        calls = several if isinstance(several, dict) else {} if several is None else {"": UNKNOWN}
    for key, given in calls.items():
        arguments = given if isinstance(given, dict) else {"name": UNKNOWN}
        parts = [arguments[name] for name in row["name"] if arguments.get(name) is not None]
        unknown = any(isinstance(each, re.Pattern) for each in parts) or "context" in arguments
        name = UNKNOWN if unknown else "-".join(map(str, parts)) or key or UNKNOWN
        switch = arguments.get(row["switch"], row["default"])
        yield name, None if isinstance(switch, re.Pattern) else bool(switch), what


def _ignores(block: Block) -> bool:
    """Whether the service's own lifecycle ignores its task definition, and nothing replaces it with one."""
    ignored = False
    for section in block.sections("lifecycle"):
        for part in section.parts:
            names = {each.text for each in part.walk() if each.kind in ("name", "text", "member")}
            if part.text == "replace_triggered_by" and "aws_ecs_task_definition" in names:
                return False
            ignored = ignored or (part.text == "ignore_changes" and bool(names & {"all", "task_definition"}))
    return ignored


def _matches(value: Any, name: str) -> bool | None:
    """Whether a value is a name, None where it may be."""
    if isinstance(value, re.Pattern):
        return None if value.fullmatch(name) else False
    return bool(value == name)


def _found(status: Status, message: str, remedy: str, where: Location | None) -> Finding:
    return Finding(status, "", message, remedy, where)
