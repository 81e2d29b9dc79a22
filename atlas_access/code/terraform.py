"""Reads Terraform files: every resource and module call with the values that its arguments are known to have.

Literals, locals, variables with a default or in a `*.tfvars`, `count`, `for_each`, modules of the same tree and
override files are followed. No Terraform is run; a value that is decided elsewhere is unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from atlas_access.base import Location
from atlas_access.code.syntax import Node, lowered
from atlas_access.code.terraform_values import FUNCTIONS, UNKNOWN, decided, together
from atlas_access.code.trees import first_error, parse

_LONGEST = 2_000_000
_DEEPEST = 8


class Unreadable(ValueError):
    """A file is no HCL, or cannot be read; the message says which."""


@dataclass(frozen=True, eq=False)
class Block:
    """A resource or a module call that exists: its type, its arguments as they are known, and its nodes.

    `certain` is False where it depends on something unknown whether it exists.
    """

    kind: str
    type: str
    name: str
    where: Location
    node: Node
    arguments: Mapping[str, Any]
    certain: bool
    inner: Callable[[Node], Mapping[str, Any]]

    def sections(self, name: str) -> Iterator[Node]:
        """The blocks of this name that are directly in this one."""
        return (part for part in self.node.parts if part.kind == "section" and part.text == name)

    def known(self, name: str) -> Any:
        """An argument's value, None where it is not given."""
        return self.arguments.get(name)


@dataclass(eq=False)
class _Folder:
    """The blocks of a folder's files, by their heads; override files are merged in."""

    path: Path
    blocks: dict[str, tuple[Location, Node]] = field(default_factory=dict)
    given: dict[str, Node] = field(default_factory=dict)
    other: dict[str, list[Node]] = field(default_factory=dict)


def blocks_of(directory: Path) -> list[Block]:
    """Every resource and module call below a directory. Raises Unreadable, OSError."""
    folders: dict[Path, _Folder] = {}
    others: list[tuple[Path, Node]] = []
    named = [
        each
        for each in directory.rglob("*")
        if each.name.endswith((".tf", ".tf.json", ".tfvars"))
        and each.is_file()
        and ".terraform" not in each.relative_to(directory).parts
    ]
    for path in sorted(named, key=lambda each: ("override" in each.stem, each)):
        folder = folders.setdefault(path.parent.resolve(), _Folder(path.parent))
        where = path.relative_to(directory).as_posix()
        parts = _parts(path, where)
        if path.suffix == ".tfvars":
            if path.name == "terraform.tfvars" or path.name.endswith(".auto.tfvars"):
                folder.given |= {each.text: each.parts[0] for each in parts if each.parts}
            # what is named on the command line may be for any root above it
            others += [(path.parent.resolve(), each) for each in parts]
            continue
        for part in parts:
            _add(folder, part, where)
    called: set[Path] = set()
    for folder in folders.values():
        for head, (_, node) in folder.blocks.items():
            source = _argument(node, "source")
            if head.startswith("module ") and source is not None and source.text.startswith("."):
                called.add((folder.path / source.text).resolve())
    for path, each in others:
        for folder in (found for at, found in folders.items() if path.is_relative_to(at) and each.parts):
            folder.other.setdefault(each.text, []).append(each.parts[0])
    roots = [folder for path, folder in folders.items() if path not in called]
    return list(chain.from_iterable(_Scope(root, folders, {}).blocks() for root in roots))


def _argument(node: Node, name: str) -> Node | None:
    return next((each.parts[0] for each in node.parts if each.text == name and each.parts), None)


def _parts(path: Path, where: str) -> tuple[Node, ...]:
    try:
        if path.stat().st_size > _LONGEST:
            raise Unreadable(f"{where} is longer than {_LONGEST} bytes")
        text = path.read_text(encoding="utf-8")
        root = parse(_from_json(json.loads(text)) if path.suffix == ".json" else text, "hcl")
    except (UnicodeDecodeError, ValueError, OSError) as error:
        raise Unreadable(f"{where} cannot be read as HCL ({error})") from error
    if line := first_error(root):
        raise Unreadable(f"{where}:{line} cannot be read as HCL")
    tree = lowered(root)
    return tree.parts if tree.kind == "block" else (tree,)


def _from_json(data: Any, heads: tuple[str, ...] = ()) -> str:
    """Terraform's JSON as its usual text."""
    depth = {"resource": 3, "data": 3, "module": 2, "variable": 2, "output": 2, "provider": 2}.get(
        heads[0] if heads else "", 1
    )
    if isinstance(data, list):
        return "\n".join(_from_json(each, heads) for each in data)
    if len(heads) < depth and (heads or isinstance(data, dict)):
        return "\n".join(_from_json(inner, (*heads, key)) for key, inner in data.items())
    body = "\n".join(
        _from_json(inner, (key,)) if key == "lifecycle" else f"{key} = {json.dumps(inner)}"
        for key, inner in data.items()
    )
    return f"{' '.join((heads[0], *map(json.dumps, heads[1:])))} {{\n{body}\n}}"


def _add(folder: _Folder, part: Node, where: str) -> None:
    """Add a block; one of the same head overrides what it says again."""
    head = part.text if part.kind == "section" else ""
    if not head.startswith(("resource ", "module ", "variable ", "locals")):
        return
    if head == "locals":
        head = f"locals {where} {part.line}"
    if "override" not in where and head in folder.blocks:
        head += f" {where} {part.line}"  # Terraform refuses it; each is judged
    before = folder.blocks.get(head)
    if before is not None:
        part = Node("section", part.line, head, _merged(before[1].parts, part.parts))
    folder.blocks[head] = (before[0] if before else Location(where, part.line), part)


def _merged(before: tuple[Node, ...], after: tuple[Node, ...]) -> tuple[Node, ...]:
    """A block's parts where later ones say the same names again; blocks in it are merged in the same way."""
    again = {each.text: each for each in after}
    kept = [each for each in before if each.kind == "section" or each.text not in again]
    inner = [
        Node("section", each.line, each.text, _merged(each.parts, again[each.text].parts))
        if each.text in again
        else each
        for each in kept
    ]
    return (*inner, *(each for each in after if each.text not in {one.text for one in inner}))


class _Scope:
    """A folder's values, as a root or as one call of a module sets them."""

    def __init__(
        self, folder: _Folder, folders: Mapping[Path, _Folder], given: Mapping[str, Any], depth: int = 0
    ) -> None:
        self._folder, self._folders, self._given, self._depth = folder, folders, given, depth
        self._values: dict[str, Any] = {}
        self._each: dict[str, Any] = {}

    def blocks(self) -> Iterator[Block]:
        """Every resource and module call that exists, those of called modules with them."""
        for head, (where, node) in self._folder.blocks.items():
            kind, *labels = head.split(" ")
            if kind not in ("resource", "module"):
                continue
            for certain in self._instances(node):
                arguments = self._arguments(node)
                source = arguments.get("source") if kind == "module" else None
                inner = None
                if isinstance(source, str) and source[:1] == ".":
                    inner = self._folders.get((self._folder.path / source).resolve())
                if inner is not None and self._depth < _DEEPEST:
                    for each in _Scope(inner, self._folders, arguments, self._depth + 1).blocks():
                        yield replace(each, certain=each.certain and certain)
                else:
                    made_by = labels[0] if kind == "resource" else str(source)
                    about = (kind, made_by, labels[-1], where, node)
                    yield Block(*about, arguments, certain, self._arguments)
            self._each = {}

    def _arguments(self, node: Node) -> dict[str, Any]:
        pairs = [each for each in node.parts if each.kind == "pair" and each.parts]
        return {each.text: self.value(each.parts[0]) for each in pairs}

    def _instances(self, node: Node) -> Iterator[bool]:
        """Set `each` and `count` for every instance in turn; False where it is unknown whether there is one."""
        given = {each.text: each.parts[0] for each in node.parts if each.kind == "pair" and each.parts}
        count = self.value(given["count"]) if "count" in given else 1
        over = self.value(given["for_each"]) if "for_each" in given else None
        if isinstance(over, list):
            over = {str(each): each for each in over}
        if isinstance(over, dict):
            for key, value in over.items():
                self._each = {"each": {"key": key, "value": value}}
                yield True
        elif over is not None or not isinstance(count, int):
            self._each = {"each": {"key": UNKNOWN, "value": UNKNOWN}, "count": {"index": UNKNOWN}}
            yield False
        else:
            for index in range(int(count)):
                self._each = {"count": {"index": index}}
                yield True

    def value(self, node: Node) -> Any:
        """A value as Python has it, UNKNOWN or another pattern where it is not known."""
        parts = node.parts
        match node.kind:
            case "text":
                return node.text
            case "number":
                number = int(node.text) if node.text.isdigit() else UNKNOWN
                return {"true": True, "false": False}.get(node.text, number)
            case "null":
                return None
            case "template":
                return together("", [self.value(part) for part in parts])
            case "object" if all(part.kind == "pair" for part in parts) and parts:
                return {part.text: self.value(part.parts[0]) for part in parts if part.parts}
            case "object":
                return [self.value(part) for part in parts]
            case "name" | "member" | "index":
                return self._named(node)
            case "if":
                test = self.value(parts[0])
                return UNKNOWN if isinstance(test, re.Pattern) else self.value(parts[1] if test else parts[2])
            case "not" | "and" | "or" | "same" | "differs":
                return decided(node.kind, [self.value(part) for part in parts])
            case "call" if parts and parts[0].text in FUNCTIONS:
                values = [self.value(part) for part in parts[1:]]
                try:
                    return FUNCTIONS[parts[0].text](values)
                except (TypeError, ValueError, IndexError, AttributeError, KeyError):
                    return UNKNOWN
            case _:
                return UNKNOWN

    def _named(self, node: Node) -> Any:
        if node.kind == "name":
            return self._each.get(node.text, UNKNOWN)
        owner, key = node.parts[0], node.text if node.kind == "member" else self.value(node.parts[-1])
        if owner.kind == "name" and owner.text in ("var", "local"):
            return self._kept(f"{owner.text}.{key}", lambda: self._variable(owner.text, str(key)))
        if (
            owner.kind == "member"
            and owner.parts[0].kind == "name"
            and f"resource {owner.parts[0].text} {owner.text}" in self._folder.blocks
        ):
            _, block = self._folder.blocks[f"resource {owner.parts[0].text} {owner.text}"]
            found = _argument(block, "name" if key in ("id", "arn") else str(key))
            kept = f"{owner.text}.{key}"
            return UNKNOWN if found is None else self._kept(kept, lambda: self.value(found))
        if owner.kind == "member" and owner.parts[0].text == "module" and key == "id":
            return self._label(owner.text)
        value = self.value(owner)
        if value is None or isinstance(value, dict):
            return None if value is None else value.get(str(key), UNKNOWN)
        listed = isinstance(value, list) and isinstance(key, int) and key < len(value)
        return value[key] if listed else UNKNOWN

    def _label(self, name: str) -> Any:
        """The name that a call of cloudposse's label module puts together."""
        _, block = self._folder.blocks.get(f"module {name}", (None, Node("block", 0)))
        given = self._arguments(block)
        if "cloudposse/label" not in str(given.get("source", "")):
            return UNKNOWN
        parts = (given.get(each) for each in ("namespace", "tenant", "environment", "stage", "name"))
        return together("-", [each for each in parts if each is not None])

    def _kept(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._values:
            self._values[name] = UNKNOWN  # where it leads back to itself
            self._values[name] = make()
        return self._values[name]

    def _variable(self, kind: str, name: str) -> Any:
        if kind == "local":
            locals_ = (node for head, (_, node) in self._folder.blocks.items() if head.startswith("locals"))
            found = next(filter(None, (_argument(node, name) for node in locals_)), None)
        elif name in self._given:
            return self._given[name]
        else:
            block = self._folder.blocks.get(f"variable {name}", (None, Node("block", 0)))[1]
            default = _argument(block, "default")
            found = default if self._depth else self._folder.given.get(name, default)
            others = [] if self._depth else [self.value(each) for each in self._folder.other.get(name, ())]
            known = UNKNOWN if found is None else self.value(found)
            texts = {each for each in (known, *others) if isinstance(each, str)}
            same = not others or texts == {known}
            return known if same else re.compile("|".join(map(re.escape, texts)) or ".*")
        return UNKNOWN if found is None else self.value(found)
