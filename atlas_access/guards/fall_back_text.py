"""Fall-backs between variables in shell, YAML, HCL, Dockerfiles and env files.

Pure. Shell and Compose write `${A:-$B}`, a workflow `secrets.A || secrets.B`, Helm `.A | default .B`, Terraform
`coalesce(A, B)` and `A != "" ? A : B`. An assignment of one variable to another is none: it is visible.
"""

from __future__ import annotations

import re
from itertools import pairwise

from atlas_access.guards.language import Language
from atlas_access.guards.variables import NAME, Pairs, is_mongo_variable

_EXPANSION = re.compile(r"\$\{(?P<wanted>[A-Za-z_][A-Za-z0-9_]*):?[-=](?P<rest>[^\n]*)")
_EMPTY = re.compile(
    r"""\[\[?[ ]+(?:-z[ ]+"?\$\{?(?P<unset>\w+)[^\n\]]*\]\]?(?:[ ]*&&|[ ]*;[ ]*then|\s*\n[ ]*then)
        |-n[ ]+"?\$\{?(?P<set>\w+)[^\n\]]*\]\]?[ ]*\|\|)(?P<rest>[^\n]*(?:\n[ \t]+[^\n]*)?)""",
    re.VERBOSE,
)
_EITHER = re.compile(r"(?P<wanted>[\w.\[\]'\"-]+)[ ]*(?:\|\||\|[ ]*default\b)(?P<rest>[^\n}]*)")
_TERRAFORM = re.compile(r"\b(?:coalesce|try|lookup)\s*\((?P<rest>(?:[^()]|\([^()]*\))*)\)")
_CHOICE = re.compile(r"(?P<wanted>[^\n=!?]+?)\s*[!=]=\s*(?:\"\"|null)\s*\?(?P<rest>[^\n]*)")
_ANY_CASE = re.compile(NAME.pattern, re.IGNORECASE)


def pairs_in_text(text: str, language: Language) -> Pairs:
    """Line, wanted and fallback of every fall-back; `text` holds no comments."""
    if language is Language.HCL:
        for pattern in (_TERRAFORM, _CHOICE):
            for match in pattern.finditer(text):
                yield from _chain(text, match, match[0])
        return
    if language is Language.YAML:
        for match in _EITHER.finditer(text):
            yield from _chain(text, match, match[0])
    for match in _EXPANSION.finditer(text):
        yield from _from(text, match, match["wanted"])
    for match in _EMPTY.finditer(text):
        yield from _from(text, match, match["unset"] or match["set"])


def _from(text: str, match: re.Match[str], wanted: str) -> Pairs:
    if not is_mongo_variable(wanted):
        return
    rest = _within(match["rest"]) if match.re is _EXPANSION else match["rest"]
    for found in re.finditer(rf"\$\{{?({NAME.pattern})", rest):
        if found[1] != wanted and is_mongo_variable(found[1]):
            yield _line(text, match.start("rest") + found.start()), wanted, found[1]


def _within(rest: str) -> str:
    """What stands inside the braces of `${A:-…}`."""
    depth = 0
    for index, character in enumerate(rest):
        if character == "{":
            depth += 1
        elif character == "}":
            if depth == 0:
                return rest[:index]
            depth -= 1
    return rest


def _chain(text: str, match: re.Match[str], expression: str) -> Pairs:
    names: list[tuple[int, str]] = []
    for found in _ANY_CASE.finditer(expression):
        if is_mongo_variable(found[0].upper()) and found[0] not in [name for _, name in names]:
            names.append((found.start(), found[0]))
    for (_, wanted), (start, fallback) in pairwise(names):
        yield _line(text, match.start() + start), wanted, fallback


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
