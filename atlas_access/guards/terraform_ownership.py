"""Whether Terraform has let go of the service's task definition, by reading its HCL.

Two owners of one task definition undo each other. The parser is small and tolerant: it knows blocks, strings, comments
and heredocs, evaluates nothing, runs no Terraform, follows no module, and says unknown wherever it would have to guess.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from atlas_access.base import Finding, Location, Status

_LONGEST = 2_000_000
_HEADER = re.compile(r'^[ \t]*(resource|module)[ \t]+"([^"\n]+)"(?:[ \t]+"([^"\n]+)")?[ \t]*\{', re.MULTILINE)
_IGNORE = re.compile(r"\bignore_changes\s*=\s*(all\b|\[([^\]]*)\])")
_LIFECYCLE = re.compile(r"\blifecycle\s*\{")
_LITERAL = re.compile(r'"((?:[^"\\$%]|\\.|\$(?!\{)|%(?!\{))*)"\s*$')
_HEREDOC = re.compile(r"<<-?[ \t]*([A-Za-z_][\w-]*)[ \t]*\n")


@dataclass(frozen=True)
class Block:
    """One `resource` or `module` block: where it stands, and its body with comments blanked out."""

    kind: str
    type: str
    name: str
    where: Location
    body: str


class _Unreadable(ValueError):
    """The text is no HCL that this parser can take apart."""


def judge_directory(
    directory: Path, service: str, families: Collection[str], ours: Collection[str]
) -> Finding:
    """Read every `*.tf` below a directory: good where Terraform has released `service`, bad where it owns it.

    `families` are the task-definition families of the service; `ours` are the ARNs of revisions that this project
    registered.
    """
    try:
        files = sorted(
            path for path in directory.rglob("*.tf") if path.is_file() and ".terraform" not in path.parts
        )
        generated = [path for path in directory.rglob("*.tf.json") if ".terraform" not in path.parts]
    except OSError as error:
        return _unknown(f"{directory}: {error.strerror or 'cannot be read'}")
    if not files:
        return _unknown(f"{directory} holds no *.tf file")
    blocks: list[Block] = []
    for path in files:
        where = path.relative_to(directory).as_posix()
        try:
            if path.stat().st_size > _LONGEST:
                return _unknown(f"{where} is longer than {_LONGEST} bytes")
            blocks += read_blocks(path.read_text(encoding="utf-8"), where)
        except (OSError, UnicodeDecodeError, _Unreadable) as error:
            return _unknown(f"{where} cannot be read as HCL ({error})")
    finding = judge(blocks, service, families, ours)
    if finding.status is Status.GOOD and generated:
        return _unknown(f"{generated[0].relative_to(directory).as_posix()} is JSON, which is not read here")
    return finding


def judge(
    blocks: Collection[Block], service: str, families: Collection[str], ours: Collection[str]
) -> Finding:
    """Decide by the blocks alone: every block that is, or may be, the service must ignore its task definition."""
    services = [each for each in blocks if each.type == "aws_ecs_service"]
    released = []
    doubtful = []
    for block in services:
        name = _literal(block.body, "name")
        if name is not None and name != service:
            continue
        if _ignores(block.body) or _literal(block.body, "task_definition") in set(ours):
            if name == service:
                released.append(block.where)
        elif name == service:
            return Finding(
                Status.BAD,
                "",
                f"aws_ecs_service.{block.name} sets the task definition of {service}: the next apply would undo ours",
                "Add lifecycle { ignore_changes = [task_definition] } and apply it first.",
                block.where,
            )
        else:
            why = f"aws_ecs_service.{block.name} may be {service} (its name is no literal)"
            doubtful.append(_unknown(why, block.where))
    if doubtful:
        return doubtful[0]
    if released:
        message = f"ignores changes of the task definition of {service}"
        return Finding(Status.GOOD, "", message, location=released[0])
    for block in blocks:
        if block.type == "aws_ecs_task_definition" and _literal(block.body, "family") in set(families):
            return _unknown(
                f"registers the family, but no aws_ecs_service of {service} is there", block.where
            )
    if any(each.kind == "module" for each in blocks):
        return _unknown(f"no aws_ecs_service names {service}; it may stand in a module")
    return _unknown(f"no aws_ecs_service names {service}")


def read_blocks(text: str, where: str) -> tuple[Block, ...]:
    """Every top-level `resource` and `module` block of a file. Raises `ValueError` where braces do not match."""
    plain = _blanked(text)
    found, start = [], 0
    while (match := _HEADER.search(plain, start)) is not None:
        end = _closing(plain, match.end() - 1)
        line = plain.count("\n", 0, match.start(1)) + 1
        kind, first, second = match.groups()
        found.append(
            Block(
                kind,
                first if kind == "resource" else "",
                second or first,
                Location(where, line),
                plain[match.end() : end],
            )
        )
        start = end
    return tuple(found)


def _ignores(body: str) -> bool:
    for match in _LIFECYCLE.finditer(body):
        inner = body[match.end() : _closing(body, match.end() - 1)]
        for ignored in _IGNORE.finditer(inner):
            names = {each.strip().strip('"') for each in (ignored[2] or "").split(",")}
            if ignored[1] == "all" or "task_definition" in names:
                return True
    return False


def _literal(body: str, attribute: str) -> str | None:
    """An attribute's value at the block's own level, when it is a plain string."""
    depth = 0
    for line in body.splitlines():
        if depth == 0 and (match := re.match(rf"\s*{attribute}\s*=\s*(.+?)\s*$", line)):
            value = _LITERAL.fullmatch(match[1])
            return value[1] if value else None
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
        depth += bare.count("{") - bare.count("}")
    return None


def _closing(text: str, opening: int) -> int:
    """Where the brace at `opening` is closed."""
    depth = 0
    for index, character in _outside_strings(text, opening):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return index
    raise _Unreadable("a brace is not closed")


def _outside_strings(text: str, start: int) -> Iterator[tuple[int, str]]:
    index = start
    while index < len(text):
        if text[index] == '"':
            index = _string_end(text, index)
        else:
            yield index, text[index]
        index += 1


def _string_end(text: str, opening: int) -> int:
    """The closing quote; an interpolation `${…}` may hold quotes of its own."""
    index, depth = opening + 1, 0
    while index < len(text):
        if text[index] == "\\":
            index += 1
        elif text.startswith(("${", "%{"), index):
            depth += 1
            index += 1
        elif depth and text[index] == "}":
            depth -= 1
        elif depth and text[index] == '"':
            index = _string_end(text, index)
        elif text[index] == '"':
            return index
        elif text[index] == "\n" and not depth:
            raise _Unreadable("a string is not closed")
        index += 1
    raise _Unreadable("a string is not closed")


def _blanked(text: str) -> str:
    """The text with comments and heredocs as blanks; lines keep their number."""
    out, index = [], 0
    while index < len(text):
        if text[index] == '"':
            end = _string_end(text, index) + 1
            out.append(text[index:end])
        elif text[index] == "#" or text.startswith("//", index):
            end = text.find("\n", index)
            end = len(text) if end < 0 else end
        elif text.startswith("/*", index):
            end = text.find("*/", index)
            if end < 0:
                raise _Unreadable("a comment is not closed")
            end += 2
            out.append("\n" * text.count("\n", index, end))
        elif heredoc := _HEREDOC.match(text, index):
            close = re.compile(rf"^[ \t]*{re.escape(heredoc[1])}[ \t]*$", re.MULTILINE).search(
                text, heredoc.end()
            )
            if close is None:
                raise _Unreadable("a heredoc is not closed")
            end = close.end()
            out.append("heredoc" + "\n" * text.count("\n", index, end))
        else:
            end = index + 1
            out.append(text[index])
        index = end
    return "".join(out)


def _unknown(why: str, where: Location | None = None) -> Finding:
    remedy = (
        "Where Terraform ignores the task definition, state terraform-released in atlas-access:acknowledged."
    )
    return Finding(Status.UNKNOWN, "", why, remedy, where)
