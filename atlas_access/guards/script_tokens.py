"""TypeScript and JavaScript as tokens: enough of the grammar to tell code from comments, strings and templates.

Pure. It never guesses a line's meaning from its text alone: guards inspect tokens, so that text in a comment or in a
message is not a finding. Source: the lexical grammar of ECMAScript, where what precedes a slash decides between a
regular expression and a division.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

_LEXEME = re.compile(
    r"""
      (?P<skip>\s+|//[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | (?P<name>[A-Za-z_$][\w$]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<op>\?\?=|\|\|=|&&=|===|!==|\.\.\.|\?\?|\|\||&&|\?\.|=>|==|!=|<=|>=|[^\w\s"'])
    | (?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PATTERN = re.compile(r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*")
_TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*", re.DOTALL)
_BEFORE_PATTERN = frozenset("(,=:[!&|?{};+-*%~^") | {
    "&&",
    "||",
    "??",
    "=>",
    "==",
    "===",
    "!=",
    "!==",
    "return",
}

_CONTINUING = frozenset({"as", "satisfies", "instanceof", "in", "of"})
_EXPECTING = frozenset(
    {"return", "await", "const", "let", "var", "new", "typeof", "else", "throw", "export", "async"}
)

_BEFORE_TEXT = (
    _EXPECTING
    | _CONTINUING
    | frozenset(
        {
            "case",
            "from",
            "import",
            "default",
            "yield",
            "void",
            "delete",
            "extends",
            "if",
            "do",
            "get",
            "set",
            "static",
        }
    )
)
OPENING = {"(": ")", "[": "]", "{": "}", "${": "}"}
CLOSING = frozenset(OPENING.values())


class Token(NamedTuple):
    """A token: `kind` is name, number, op, string (its text without quotes) or text (a template's part)."""

    kind: str
    text: str
    line: int


@lru_cache(maxsize=2048)
def tokens_of(text: str) -> tuple[Token, ...]:
    """The tokens of a script, comments and blanks left out; a template without `${}` is a string."""
    return tuple(_tokens(text))


def matching(tokens: Sequence[Token], start: int) -> int:
    """The index of the bracket that closes the one at `start`; the last index when none does."""
    depth = 0
    for index in range(start, len(tokens)):
        if tokens[index].kind != "op":
            continue
        if tokens[index].text in OPENING:
            depth += 1
        elif tokens[index].text in CLOSING:
            depth -= 1
            if depth == 0:
                return index
    return len(tokens) - 1


def first_of(tokens: Sequence[Token], start: int, *texts: str) -> int | None:
    """The index of the first of these texts a little way on from `start`; None when none is there."""
    return next((at for at in range(start, min(start + 40, len(tokens))) if tokens[at].text in texts), None)


def body_of(tokens: Sequence[Token], start: int) -> int | None:
    """The brace that opens the body of the function whose parameters come next; None without one."""
    opening = first_of(tokens, start, "(")
    return None if opening is None else first_of(tokens, matching(tokens, opening), "{")


def ends_statement(tokens: Sequence[Token], index: int) -> bool:
    """Whether the line break behind a token ends a statement that no semicolon ends."""
    if index + 1 >= len(tokens) or tokens[index + 1].line == tokens[index].line:
        return False
    token, following = tokens[index], tokens[index + 1]
    complete = token.kind in ("name", "string", "number") or token.text in (")", "]", "}")
    begins = following.kind in ("name", "string", "number") and following.text not in _CONTINUING
    return complete and begins and token.text not in _EXPECTING


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_$"


def _tokens(text: str) -> Iterator[Token]:
    position, line, depth = 0, 1, 0
    templates: list[int] = []
    previous = ""
    while position < len(text):
        if text[position] == "/" and (not previous or previous in _BEFORE_PATTERN):
            pattern = _PATTERN.match(text, position)
            if pattern is not None:
                position, previous = pattern.end(), "pattern"
                continue
        if text[position] == "`" or (text[position] == "}" and templates and templates[-1] == depth):
            resumed = text[position] == "}"
            if resumed:
                templates.pop()
                depth -= 1
                yield Token("op", "}", line)
            part = _TEMPLATE.match(text, position + 1)
            content = part[0] if part is not None else ""
            end = position + 1 + len(content)
            opens = text.startswith("${", end)
            yield Token("text" if resumed or opens else "string", content, line)
            line += content.count("\n")
            previous = "`"
            position = end + (2 if opens else 1)
            if opens:
                depth += 1
                templates.append(depth)
                yield Token("op", "${", line)
                previous = "{"
            continue
        if (
            text[position] in "'\""
            and position
            and _is_word(text[position - 1])
            and previous not in _BEFORE_TEXT
        ):
            position += 1  # an apostrophe: no string follows upon a word, but the text of JSX has them
            continue
        match = _LEXEME.match(text, position)
        if match is None:
            return
        found = match[0]
        position = match.end()
        kind = match.lastgroup or "stray"
        if kind not in ("skip", "stray"):
            previous = found
            if found == "{":
                depth += 1
            elif found == "}":
                depth -= 1
            yield Token(kind, found[1:-1] if kind == "string" else found, line)
        line += found.count("\n")
