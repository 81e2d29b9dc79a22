"""Where a file names a variable that counts, and what of a tree could not be read for it.

Pure. In code a name counts where it is a whole identifier, key or string; in other files wherever it is outside a
comment. Prose is no use, and a part of a name is not the name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas_access.base import Finding
from atlas_access.code import (
    CODE,
    VARIABLE,
    Language,
    Names,
    Project,
    SourceFile,
    leaves,
    line_of,
    parse,
    script_of,
    text_of,
    without_comments,
)
from atlas_access.guards.finding import noted

if TYPE_CHECKING:
    import tree_sitter

_WORD = re.compile(rf"(?<![A-Za-z0-9_])(?:{VARIABLE.pattern})(?![A-Za-z0-9_])")
_CONTINUED = re.compile(r"(?<![$\w{])([A-Z0-9_]*MONGO(?:DB)?_[A-Z0-9_]*)(?=\$\{?[A-Za-z_])")
_ASSIGNED = re.compile(r"""(?P<name>[A-Z][A-Z0-9_]+)["']?\s*[:=]\s*["']?(?P<value>mongodb(?:\+srv)?://\S*)""")
_HOLES = ("template_substitution", "interpolation")


@dataclass(frozen=True, order=True)
class Use:
    """A variable's name at a line; `whole` is False for a name that is put together."""

    line: int
    name: str
    whole: bool = True


def uses_in(file: SourceFile, names: Names, project: Project | None = None) -> tuple[Use, ...]:
    """Every variable that counts and that a file names, by line."""
    found = set(_in_code(file, names, project) if file.language in CODE else _in_text(file, names))
    for each in project.events(file.path, "reads", "opens", "composed", "sets") if project else ():
        opens = each.kind == "opens" and not names.counts(each.name.removesuffix("_FILE"))
        if each.kind == "composed":
            found.add(Use(each.line, each.name, whole=False))
        elif opens or names.counts(each.name):
            found.add(Use(each.line, each.name))
    return tuple(sorted(found))


def _in_code(file: SourceFile, names: Names, project: Project | None) -> Iterator[Use]:
    listed = list(leaves(project.root(file) if project else parse(script_of(file), file.language.value)))
    if file.language is Language.SHELL:
        own = {text_of(each) for each in listed if _is_own(each)}
        yield from (use for use in _in_text(file, names) if names.known(use.name) or use.name not in own)
        return
    for leaf in listed:
        text = text_of(leaf)
        if names.counts(text) and ((names.known(text) and leaf.type == "identifier") or _is_named(leaf)):
            yield Use(line_of(leaf), text)


def _is_own(leaf: tree_sitter.Node) -> bool:
    """Whether a shell sets a name for itself alone: neither exported, nor for one command."""
    parent = leaf.parent
    around = None if parent is None or parent.type != "variable_assignment" else parent.parent
    alone = around is not None and around.type not in ("command", "declaration_command")
    return leaf.type == "variable_name" and alone


def _is_named(leaf: tree_sitter.Node) -> bool:
    """Whether a leaf is a key, a member, or a string that is not put together with others."""
    kind, parent = leaf.type, leaf.parent
    around = None if parent is None else parent.parent
    if kind in ("string_fragment", "string_content", "interpreted_string_literal_content"):
        plus = around is not None and around.type in ("binary_expression", "binary_operator")
        plus = plus and around is not None and any(each.type in ("+", "%") for each in around.children)
        holes = parent is not None and any(each.type in _HOLES for each in parent.named_children)
        return not plus and not holes
    if kind == "property_identifier" or kind.startswith("shorthand_property"):
        return True
    named = parent is not None and parent.type in ("attribute", "keyword_argument")
    return kind == "identifier" and named and parent is not None and parent.children[-1] == leaf


def _in_text(file: SourceFile, names: Names) -> Iterator[Use]:
    if file.language in (Language.OTHER, Language.UNREAD):
        return
    for number, line in enumerate(without_comments(file).splitlines(), start=1):
        yield from _in_line(line, number, names)
        for match in _ASSIGNED.finditer(line):
            yield Use(number, match["name"])


def _in_line(line: str, number: int, names: Names) -> Iterator[Use]:
    continued = {match.start(): match[1] for match in _CONTINUED.finditer(line)}
    yield from (Use(number, name, whole=False) for name in continued.values())
    for match in _WORD.finditer(line):
        if match.start() not in continued and names.counts(match[0]):
            yield Use(number, match[0])


def unread(project: Project, wanted: Collection[str] = ()) -> Iterator[Finding]:
    """The notes on files that no guard can read, or cannot read as a whole, where they name a variable that counts."""
    for file in project.speaking:
        broken, script = project.error(file.path), script_of(file)
        text = file.text
        if file.language is not Language.UNREAD and not broken:
            if script is text:
                continue
            pairs = zip(text, script, strict=True)
            text = "".join(one if one != other or one == "\n" else " " for one, other in pairs)
        found = _WORD.finditer(text)
        named = next((m for m in found if (m[0] in wanted if wanted else project.names.counts(m[0]))), None)
        if named is not None:
            why = "and cannot be parsed as a whole" if broken else "in a language that is not read"
            what = f"speaks of {named[0]} {why}: not judged; leave it out with --exclude"
            yield noted(file.path, broken or file.text.count("\n", 0, named.start()) + 1, what, blocks=True)
