"""Fall-backs in files that are no programs: Compose, workflows, Helm, Jinja, Dockerfiles, env files, Terraform.

Pure. Expressions are taken out of the text and followed like a program's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from atlas_access.code.flow import Flow
from atlas_access.code.language import Language, SourceFile
from atlas_access.code.syntax import Node, lowered
from atlas_access.code.trees import comments, parse
from atlas_access.code.values import Event, Module

_WORKFLOW = re.compile(r"\$\{\{(.*?)\}\}")
_HELM = re.compile(r"(?<!\$)\{\{-?\s*(.*?)\s*-?\}\}")
_LOOKED_UP = re.compile(r"""(?:lookup|query)\(\s*["']env["'],\s*["'](\w+)["']\)""")
_SHELL = re.compile(r"\$\{[A-Za-z_]\w*:?[-=][^}\n]*\}*")
_COMMENT = re.compile(r"(^|\s)#[^\n]*", re.MULTILINE)
_GRAMMARS = (Language.SHELL, Language.YAML, Language.HCL, Language.DOCKER)


def without_comments(file: SourceFile) -> str:
    """A file's text with its comments blanked, every line where it was."""
    if file.language not in _GRAMMARS:
        return file.text if file.language is Language.JSON else _COMMENT.sub(r"\1", file.text)
    data = bytearray(file.text.encode("utf-8", "surrogatepass"))
    for start, end in comments(parse(file.text, file.language.value)):
        data[start:end] = re.sub(rb"[^\n]", b" ", data[start:end])
    return data.decode("utf-8", "surrogatepass")


def in_config(file: SourceFile, flow: Flow) -> set[Event]:
    """What a file of configuration shows, by following its expressions."""
    module = Module(file.path, script=False)
    flow.state()
    if file.language is Language.HCL:
        flow.run(module, Node("block", 1, "", tuple(_terraform(lowered(parse(file.text, "hcl"))))))
        return module.events
    for number, line in enumerate(without_comments(file).splitlines(), start=1):
        for node in _expressions(line, file.language):
            flow.run(module, _moved(node, number))
    return module.events


def _moved(node: Node, line: int) -> Node:
    return Node(node.kind, line, node.text, tuple(_moved(part, line) for part in node.parts))


def _expressions(line: str, language: Language) -> Iterator[Node]:
    for match in _WORKFLOW.finditer(line):
        yield _variables(lowered(parse(match[1], "javascript")))
    if "{{" in line and not _WORKFLOW.search(line):
        yield from _helm(line)
    for match in _SHELL.finditer(line):
        yield lowered(parse(f'"{match[0]}"', "bash"))
    instruction = re.match(r"\s*ARG\s+(\w+)=(\S+)", line) if language is Language.DOCKER else None
    if instruction is not None:
        yield Node("or", 1, "", (Node("var", 1, instruction[1]), Node("text", 1, instruction[2])))


def _variables(node: Node) -> Node:
    """Members as variables: `secrets.NAME` is NAME."""
    if node.kind == "member":
        return Node("var", 1, node.text)
    return Node(node.kind, 1, node.text, tuple(_variables(part) for part in node.parts))


def _helm(line: str) -> Iterator[Node]:
    parts = [_LOOKED_UP.sub(r"\1", match[1]) for match in _HELM.finditer(line)]
    for part in parts:
        yield _pipeline(part)
    if len(parts) == 5 and parts[0].startswith("if ") and parts[2] == "else":
        yield Node("or", 1, "", (_pipeline(parts[1]), _pipeline(parts[3])))


def _pipeline(text: str) -> Node:
    """`a | default b`, `default b a` and Jinja's `a | default(b)` are a fall-back from a to b."""
    found: Node | None = None
    for stage in text.split("|"):
        name, *words = re.findall(r"""["'][^"']*["']|[^\s(),]+""", stage) or [""]
        values = [_word(each) for each in words] + ([found] if found is not None else [])
        if name in ("default", "d") and len(values) > 1:
            found = Node("or", 1, "", (values[-1], values[0]))
        elif name in ("coalesce", "or"):
            found = values[0] if values else Node("null", 1)
            for each in values[1:]:
                found = Node("or", 1, "", (found, each))
        elif name == "ternary" and len(values) > 1:
            found = Node("or", 1, "", (values[0], values[1]))
        elif name != "required" or not values:
            found = found or _word(name)
        else:
            found = values[-1]
    return found or Node("null", 1)


def _word(text: str) -> Node:
    if text.startswith(('"', "'")):
        return Node("text", 1, text.strip("\"'"))
    *_, last = names = text.lstrip("$.").removeprefix("Values.").split(".")
    if text.isupper() or last.isupper():
        return Node("var", 1, last)
    return Node("var", 1, "_".join(names).upper()) if "." in text else Node("block", 1)


def _terraform(node: Node) -> Iterator[Node]:
    """Terraform's expressions, with `var.name` as the variable NAME, and each variable's default."""
    for each in node.walk():
        if each.kind == "section" and each.text.startswith("variable "):
            name = Node("var", each.line, each.text.split()[1].upper())
            for part in each.parts:
                if part.text == "default" and part.parts:
                    yield Node("or", part.line, "", (name, part.parts[0]))
    yield _named(node)


def _named(node: Node) -> Node:
    parts = tuple(map(_named, node.parts))
    if node.kind == "member" and node.parts[0].text in ("var", "local"):
        return Node("var", node.line, node.text.upper())
    if node.kind == "index" and len(node.parts) > 1 and node.parts[1].kind == "text":
        return Node("var", node.line, node.parts[1].text.upper())
    if node.kind == "call" and parts[0].text == "lookup" and len(parts) > 3:
        return Node("or", node.line, "", (Node("var", node.line, parts[2].text.upper()), parts[3]))
    if node.kind == "section":
        return Node("block", node.line, "", parts)
    return Node(node.kind, node.line, node.text, parts)
