"""Which environment variables carry a MongoDB credential, and where a file speaks of them.

Pure. A name counts in code where it is read (`process.env.NAME`, `os.environ["NAME"]`, a schema's key), in other
languages wherever it stands outside a comment. It must never take prose for a use.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from guards.language import Language
from guards.script_tokens import Token, tokens_of
from guards.source import SourceFile

NAME = re.compile(
    r"(?<![A-Za-z0-9_])(?:[A-Z0-9]+_)*MONGO(?:DB)?(?:_[A-Z0-9_]*[A-Z0-9]|URI|URL)(?![A-Za-z0-9_])"
)
_BEGINNING = re.compile(r"(?:[A-Z0-9]+_)*MONGO(?:DB)?_(?:[A-Z0-9]+_)*$")
_ANY_CASE = re.compile(NAME.pattern, re.IGNORECASE)
_NO_CREDENTIAL = re.compile(
    r"MONGO(?:DB)?_ATLAS_|_(?:DB|DB_NAME|DATABASE|DATABASE_NAME|VERSION|IMAGE|PORT|DEBUG|LOG_LEVEL|APP_NAME|COLLECTION"
    r"|ADDED|UPDATED|DELETED|POOL_SIZE|TIMEOUT|TIMEOUT_MS|TIMEOUT_SECONDS)$"
)
"""Keys of the Atlas Admin API, which open no database, its events, and settings that open nothing."""

_MENTION = re.compile(rf"{NAME.pattern}|{_BEGINNING.pattern.rstrip('$')}|BaseSettings")
_LOWER = re.compile(r"mongo(?:db)?_[a-z0-9_]*")
_HASH_COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'[^'\n]*')|(?:^|(?<=\s))\#[^\n]*""", re.MULTILINE)
_LINE_COMMENT = re.compile(r"^\s*#[^\n]*", re.MULTILINE)
_HCL_COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*")|\#[^\n]*|//[^\n]*|/\*.*?\*/""", re.DOTALL)


@dataclass(frozen=True, order=True)
class Use:
    """A variable's name at a line; `whole` is False for a name that is put together at run time."""

    line: int
    name: str
    whole: bool = True


def is_mongo_variable(name: str) -> bool:
    """Whether a name is that of a variable which may carry a MongoDB credential."""
    return NAME.fullmatch(name) is not None and _NO_CREDENTIAL.search(name) is None


def uses_in(file: SourceFile, known: Collection[str]) -> tuple[Use, ...]:
    """Every Mongo variable that a file speaks of, in the order of its lines.

    `known` are the manifest's variables: such a name counts also where it stands as a plain identifier. Raises
    SyntaxError for Python that is none.
    """
    if file.binary or not _MENTION.search(file.text):
        return ()
    match file.language:
        case Language.PYTHON:
            found = _in_python(parsed(file.text), frozenset(known))
        case Language.SCRIPT:
            found = _in_script(tokens_of(file.text), frozenset(known))
        case Language.OTHER:
            return ()
        case _:
            found = _in_text(without_comments(file))
    return tuple(sorted({use for use in found if not use.whole or is_mongo_variable(use.name)}))


def mentioned(text: str) -> frozenset[str]:
    """The Mongo variables whose names stand anywhere in a text, in capitals: a cheap first look."""
    return frozenset(match[0].upper() for match in _ANY_CASE.finditer(text))


def python_of(file: SourceFile) -> ast.Module | None:
    """A Python file's syntax tree, None when it cannot be parsed."""
    try:
        return parsed(file.text)
    except SyntaxError:
        return None


@lru_cache(maxsize=2048)
def parsed(text: str) -> ast.Module:
    """The syntax tree of Python source; raises SyntaxError for anything that cannot be parsed."""
    try:
        return ast.parse(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError("cannot be parsed") from error


def without_comments(file: SourceFile) -> str:
    """A file's text with its comments blanked, every line where it was."""
    pattern = {
        Language.HCL: _HCL_COMMENT, Language.DOCKER: _LINE_COMMENT, Language.ENV: _LINE_COMMENT,
        Language.SHELL: _HASH_COMMENT, Language.YAML: _HASH_COMMENT,
    }.get(file.language)  # fmt: skip
    return file.text if pattern is None else pattern.sub(_blanked, file.text)


def _blanked(match: re.Match[str]) -> str:
    kept = match[1] if match.re.groups and match[1] else ""
    return kept or "\n" * match[0].count("\n")


def _in_text(text: str) -> Iterator[Use]:
    for number, line in enumerate(text.splitlines(), start=1):
        for match in NAME.finditer(line):
            yield Use(number, match[0])


def _in_script(tokens: tuple[Token, ...], known: frozenset[str]) -> Iterator[Use]:
    for index, token in enumerate(tokens):
        if token.kind == "string" and NAME.fullmatch(token.text):
            yield Use(token.line, token.text)
        elif token.kind in ("text", "string"):
            before_more = index + 1 < len(tokens) and tokens[index + 1].text in ("${", "+")
            beginning = _BEGINNING.search(token.text) if before_more else None
            if beginning is not None:
                yield Use(token.line, beginning[0], whole=False)
        elif token.kind == "name" and NAME.fullmatch(token.text):
            before = tokens[index - 1].text if index else ""
            after = tokens[index + 1].text if index + 1 < len(tokens) else ""
            key = after == ":" or (after == "?" and _text(tokens, index + 2) == ":")
            read = before in (".", "?.") or (key and before not in ("?", "case"))
            if read or token.text in known or _taken_from_environment(tokens, index):
                yield Use(token.line, token.text)


def _taken_from_environment(tokens: tuple[Token, ...], index: int) -> bool:
    """Whether a name stands in `const { NAME, … } = process.env`."""
    for at in range(index, min(index + 200, len(tokens))):
        if tokens[at].text == "}":
            return _text(tokens, at + 1) == "=" and any(
                _text(tokens, at + step) in ("env", "environ") for step in range(2, 7)
            )
        if tokens[at].text in ("{", ";"):
            return False
    return False


def _text(tokens: tuple[Token, ...], index: int) -> str:
    return tokens[index].text if index < len(tokens) else ""


def _in_python(tree: ast.Module, known: frozenset[str]) -> Iterator[Use]:
    settings = any(isinstance(node, ast.Name) and node.id == "BaseSettings" for node in ast.walk(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if NAME.fullmatch(text):
                yield Use(node.lineno, text)
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]) if _BEGINNING.match(text):
                yield Use(node.lineno, text, whole=False)
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Add()) if _BEGINNING.match(text):
                yield Use(node.lineno, text, whole=False)
            case ast.Attribute(attr=name) if NAME.fullmatch(name):
                yield Use(node.lineno, name)
            case ast.Name(id=name) if name in known:
                yield Use(node.lineno, name)
            case ast.AnnAssign(target=ast.Name(id=name)) if settings and _LOWER.fullmatch(name):
                yield Use(node.lineno, name.upper())
            case _:
                pass
