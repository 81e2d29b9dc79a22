"""Which environment variables carry a MongoDB credential, and where a file speaks of them.

Pure. A name counts in code where it is read (`process.env.NAME`, `os.environ["NAME"]`, a schema's key), in other
languages wherever it stands outside a comment. Prose is no use, and a part of a name is not the name. A name of which
no part says MONGO (`f"{database}_URI"`) is not observed, nor one that another file puts together.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from atlas_access.base import Finding
from atlas_access.guards.finding import noted
from atlas_access.guards.language import Language
from atlas_access.guards.script_tokens import Token, tokens_of
from atlas_access.guards.source import SourceFile

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

_HOLE = r"(?:%(?:\([a-zA-Z_]+\))?[sdr]|\{[^{}]*\})"
_HOLED = re.compile(rf"(?:[A-Z0-9_]|{_HOLE})*MONGO(?:[A-Z0-9_]|{_HOLE})*")
_A_HOLE = re.compile(_HOLE)
_CONTINUED = re.compile(
    rf"(?<![$\w{{])(?:{_BEGINNING.pattern.rstrip('$')}|{NAME.pattern})(?=\$\{{?[A-Za-z_])"
)
_PART = re.compile(r"_?(?:[A-Z0-9]+_)*MONGO(?:DB)?(?:_[A-Z0-9_]*|URI|URL)?")
_MENTION = re.compile(
    rf"{NAME.pattern}|{_BEGINNING.pattern.rstrip('$')}|BaseSettings|MONGO(?:DB)?[\"']|\}}_?MONGO"
)
_LOWER = re.compile(r"mongo(?:db)?_[a-z0-9_]*")
_HASH_COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'[^'\n]*')|(?:^|(?<=\s))\#[^\n]*""", re.MULTILINE)
_LINE_COMMENT = re.compile(r"^\s*#[^\n]*", re.MULTILINE)
_HCL_COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*")|\#[^\n]*|//[^\n]*|/\*.*?\*/""", re.DOTALL)


Pairs = Iterator[tuple[int, str, str]]
"""Line, wanted and fallback of fall-backs."""


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
        case Language.OTHER | Language.UNREAD:
            return ()
        case _:
            found = _in_text(without_comments(file))
    return tuple(sorted({use for use in found if not use.whole or is_mongo_variable(use.name)}))


def unread(file: SourceFile) -> tuple[Finding, ...]:
    """The note on a file of a language that no guard reads, where it speaks of a Mongo variable."""
    found = next((match for match in NAME.finditer(file.text) if is_mongo_variable(match[0])), None)
    if found is None or file.binary:
        return ()
    line = file.text.count("\n", 0, found.start()) + 1
    what = f"speaks of {found[0]} in a language that is not read: not judged; leave it out with --exclude"
    return (noted(file.path, line, what, blocks=True),)


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
        Language.SHELL: _HASH_COMMENT, Language.YAML: _HASH_COMMENT, Language.TOML: _HASH_COMMENT,
    }.get(file.language)  # fmt: skip
    return file.text if pattern is None else pattern.sub(_blanked, file.text)


def _blanked(match: re.Match[str]) -> str:
    kept = match[1] if match.re.groups and match[1] else ""
    return kept or "\n" * match[0].count("\n")


def _in_text(text: str) -> Iterator[Use]:
    for number, line in enumerate(text.splitlines(), start=1):
        continued = {match.start(): match[0] for match in _CONTINUED.finditer(line)}
        yield from (Use(number, name, whole=False) for name in continued.values() if _opens(name))
        yield from (Use(number, match[0]) for match in NAME.finditer(line) if match.start() not in continued)


def _in_script(tokens: tuple[Token, ...], known: frozenset[str]) -> Iterator[Use]:
    for index, token in enumerate(tokens):
        if token.kind in ("text", "string"):
            yield from _in_script_text(tokens, index)
        elif token.kind == "name" and NAME.fullmatch(token.text):
            before = tokens[index - 1].text if index else ""
            after = tokens[index + 1].text if index + 1 < len(tokens) else ""
            key = after == ":" or (after == "?" and _text(tokens, index + 2) == ":")
            read = before in (".", "?.") or (key and before not in ("?", "case"))
            if read or token.text in known or _taken_from_environment(tokens, index):
                yield Use(token.line, token.text)


def _in_script_text(tokens: tuple[Token, ...], index: int) -> Iterator[Use]:
    token, following = tokens[index], _text(tokens, index + 1)
    part = _PART.fullmatch(token.text) is not None
    if following == "${" or (following == "+" and token.kind == "string"):
        beginning = _BEGINNING.search(token.text)
        if following == "+" and _is_prose(tokens, index + 2):
            return
        if beginning is not None or part:
            yield Use(token.line, token.text if beginning is None else beginning[0], whole=False)
    elif part and (
        _is_joined(tokens, index) or (token.text[0] == "_" and index and tokens[index - 1].text in ("}", "+"))
    ):
        yield Use(token.line, token.text, whole=False)
    elif token.kind == "string" and NAME.fullmatch(token.text):
        yield Use(token.line, token.text)
    elif token.kind == "string":
        yield from _holed(token.line, token.text)


def _is_prose(tokens: tuple[Token, ...], index: int) -> bool:
    """Whether what is added to a name is a text that no name continues with: a message, then."""
    return index < len(tokens) and tokens[index].kind == "string" and not _goes_on(tokens[index].text)


def _goes_on(text: str) -> bool:
    return re.match(r"[A-Z0-9_]", text) is not None


def _is_joined(tokens: tuple[Token, ...], index: int) -> bool:
    """Whether a text stands in `[…].join(…)`."""
    close = next((at for at in range(index, min(index + 60, len(tokens))) if tokens[at].text in "])}"), None)
    return close is not None and [_text(tokens, close + step) for step in range(3)] == ["]", ".", "join"]


def _holed(line: int, text: str) -> Iterator[Use]:
    """A name with holes that something fills in: `MONGODB_%s_WRITE`, `MONGODB_{}_WRITE`."""
    hole = _A_HOLE.search(text)
    if hole is not None and _HOLED.fullmatch(text) and _opens(text):
        yield Use(line, text[: hole.start()], whole=False)


def _opens(name: str) -> bool:
    return _NO_CREDENTIAL.search(name) is None


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
    parts: set[int] = set()
    for node in ast.walk(tree):  # from the outside in: what holds a part comes before it
        match node:
            case ast.Constant(value=str(text)) if id(node) not in parts:
                if NAME.fullmatch(text):
                    yield Use(node.lineno, text)
                yield from _holed(node.lineno, text)
            case ast.JoinedStr(values=[_, _, *_] as values):
                parts |= {id(each) for each in values}
                first = values[0].value if isinstance(values[0], ast.Constant) else ""
                if isinstance(first, str) and _BEGINNING.match(first):
                    yield Use(node.lineno, first, whole=False)
                else:
                    texts = (str(each.value) if isinstance(each, ast.Constant) else "{}" for each in values)
                    yield from _holed(node.lineno, "".join(texts))
            case ast.BinOp(left=ast.Constant(value=str(text)) as left, op=ast.Add(), right=right) if (
                _PART.fullmatch(text)
            ):
                parts.add(id(left))
                if not (isinstance(right, ast.Constant) and not _goes_on(str(right.value))):
                    yield Use(node.lineno, text, whole=False)
            case ast.BinOp(op=ast.Add(), right=ast.Constant(value=str(text)) as right) if text.startswith(
                "_"
            ) and _PART.fullmatch(text):
                parts.add(id(right))
                yield Use(node.lineno, text, whole=False)
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value="_"), attr="join"),
                args=[ast.List(elts=joined) | ast.Tuple(elts=joined)],
            ):
                words = [str(each.value) for each in joined if isinstance(each, ast.Constant)]
                if any(_PART.fullmatch(each) for each in words):
                    parts |= {id(each) for each in joined}
                    yield Use(node.lineno, "_".join(words), whole=False)
            case ast.Attribute(attr=name) if NAME.fullmatch(name):
                yield Use(node.lineno, name)
            case ast.Name(id=name) if name in known:
                yield Use(node.lineno, name)
            case ast.AnnAssign(target=ast.Name(id=name)) if settings and _LOWER.fullmatch(name):
                yield Use(node.lineno, name.upper())
            case _:
                pass
