"""Fall-backs between variables in TypeScript and JavaScript, by their tokens.

Pure. It sees `||`, `??` and their assignments, a conditional, a default in a destructuring, and `if (!a)` that assigns
or returns another variable; names and functions of the file are followed to the variables that they read. A branch that
throws is no fall-back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from guards.script_tokens import CLOSING, OPENING, Token, ends_statement, matching
from guards.variables import NAME, is_mongo_variable

_EITHER = frozenset({"||", "??", "||=", "??="})
_STOPS = frozenset({";", ",", "=>", "return", "const", "let", "var", "export", "await", "case", ":"})
_STARTS = _STOPS | {"=", "?"}
_REACH = 400
_Names = Mapping[str, tuple[str, ...]]


def pairs_in_script(tokens: Sequence[Token], known: frozenset[str]) -> Iterator[tuple[int, str, str]]:
    """Line, wanted and fallback of every fall-back."""
    names = _followed(tokens, known)
    for index, token in enumerate(tokens):
        if token.kind == "op" and token.text in _EITHER:
            before = _variables(tokens[_start(tokens, index) : index], names, known)
            yield from _pairs(
                before[-1:], _variables(tokens[index + 1 : _end(tokens, index + 1)], names, known)
            )
        elif token.text == "?" and token.kind == "op":
            yield from _conditional(tokens, index, names, known)
        elif token.text == "if" and token.kind == "name":
            yield from _branch(tokens, index, names, known)
        elif token.text == "=" and token.kind == "op" and index and is_mongo_variable(tokens[index - 1].text):
            yield from _default(tokens, index, names, known)


def _conditional(
    tokens: Sequence[Token], index: int, names: _Names, known: frozenset[str]
) -> Iterator[tuple[int, str, str]]:
    if index + 1 < len(tokens) and tokens[index + 1].text == ":":
        return  # an optional member of a type
    tested = _variables(tokens[_start(tokens, index) : index], names, known)
    middle = _end(tokens, index + 1)
    if tested and middle < len(tokens) and tokens[middle].text == ":":
        for start in (index + 1, middle + 1):
            yield from _pairs(tested[:1], _variables(tokens[start : _end(tokens, start)], names, known))


def _branch(
    tokens: Sequence[Token], index: int, names: _Names, known: frozenset[str]
) -> Iterator[tuple[int, str, str]]:
    """`if (!a) a = b`, `if (!a) { return b() }`."""
    if index + 2 >= len(tokens) or tokens[index + 1].text != "(":
        return
    close = matching(tokens, index + 1)
    test = tokens[index + 2 : close]
    absent = any(each.text in ("!", "==", "===") for each in test)
    wanted = _variables(test, names, known)
    if not absent or not wanted or close + 1 >= len(tokens):
        return
    if tokens[close + 1].text == "{":
        body = tokens[close + 2 : matching(tokens, close + 1)]
    else:
        body = tokens[close + 1 : _end(tokens, close + 1, ";")]
    for at, token in enumerate(body):
        if token.text == "throw":
            return
        if token.text in ("=", "return"):
            yield from _pairs(wanted[:1], _variables(body[at + 1 : _end(body, at + 1, ";")], names, known))


def _default(
    tokens: Sequence[Token], index: int, names: _Names, known: frozenset[str]
) -> Iterator[tuple[int, str, str]]:
    """`const { A = process.env.B } = process.env`."""
    if index > 1 and tokens[index - 2].text in ("{", ","):
        wanted = ((tokens[index - 1].text, tokens[index - 1].line),)
        yield from _pairs(wanted, _variables(tokens[index + 1 : _end(tokens, index + 1)], names, known))


def _pairs(
    wanted: tuple[tuple[str, int], ...], fallback: tuple[tuple[str, int], ...]
) -> Iterator[tuple[int, str, str]]:
    for first, _ in wanted:
        for second, line in fallback:
            if second != first:
                yield line, first, second


def _start(tokens: Sequence[Token], index: int) -> int:
    """Where the expression that ends before `index` begins."""
    depth = 0
    for at in range(index - 1, max(-1, index - _REACH), -1):
        text = tokens[at].text if tokens[at].kind in ("op", "name") else ""
        if text in CLOSING:
            depth += 1
        elif text in OPENING:
            if depth == 0:
                return at + 1
            depth -= 1
        elif depth == 0 and (text in _STARTS or ends_statement(tokens, at)):
            return at + 1
    return max(0, index - _REACH + 1)


def _end(tokens: Sequence[Token], start: int, *stops: str) -> int:
    """Where the expression that begins at `start` ends."""
    ends = frozenset(stops) or _STOPS - {"await", "return"}
    depth = 0
    for at in range(start, min(len(tokens), start + _REACH)):
        text = tokens[at].text if tokens[at].kind in ("op", "name") else ""
        if text in OPENING:
            depth += 1
        elif text in CLOSING:
            if depth == 0:
                return at
            depth -= 1
        elif depth == 0 and text in ends:
            return at
        if depth == 0 and at + 1 < len(tokens) and ends_statement(tokens, at):
            return at + 1
    return min(len(tokens), start + _REACH)


def _followed(tokens: Sequence[Token], known: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """The variables behind the names and functions of a file."""
    names: dict[str, tuple[str, ...]] = {}
    for _ in range(3):
        for index, token in enumerate(tokens[:-2]):
            if token.text in ("const", "let", "var") and tokens[index + 1].kind == "name":
                at = index + 2
                while at < min(len(tokens), index + 12) and tokens[at].text not in ("=", ";", "const"):
                    at += 1
                if at >= len(tokens) or tokens[at].text != "=":
                    continue
                end = _end(tokens, at + 1)
                arrow = any(each.text == "=>" for each in tokens[at + 1 : end + 1])
                if arrow and end + 1 < len(tokens):
                    end = matching(tokens, end + 1) if tokens[end + 1].text == "{" else _end(tokens, end + 1)
                name = tokens[index + 1].text
                _remember(names, f"{name}()" if arrow else name, tokens[at + 1 : end], known)
            elif token.text == "function" and tokens[index + 1].kind == "name":
                parameters = next(
                    (at for at in range(index, min(index + 40, len(tokens))) if tokens[at].text == "("), index
                )
                close = matching(tokens, parameters)
                body = next(
                    (at for at in range(close, min(close + 40, len(tokens))) if tokens[at].text == "{"), close
                )
                _remember(names, f"{tokens[index + 1].text}()", tokens[body : matching(tokens, body)], known)
    return names


def _remember(
    names: dict[str, tuple[str, ...]], name: str, tokens: Sequence[Token], known: frozenset[str]
) -> None:
    found = tuple(dict.fromkeys(variable for variable, _ in _variables(tokens, names, known)))
    if len(found) == 1:
        names.setdefault(name, found)


def _variables(tokens: Sequence[Token], names: _Names, known: frozenset[str]) -> tuple[tuple[str, int], ...]:
    """The variables that a run of tokens reads, each with its first line."""
    found: dict[str, int] = {}
    for index, token in enumerate(tokens):
        before = tokens[index - 1].text if index else ""
        after = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if token.kind == "string" and NAME.fullmatch(token.text) and before in ("[", "("):
            read = [token.text]
        elif token.kind != "name":
            continue
        elif NAME.fullmatch(token.text) and (token.text in known or before in (".", "?.")):
            read = [token.text]
        elif before not in (".", "?."):
            read = list(names.get(f"{token.text}()" if after == "(" else token.text, ()))
        else:
            continue
        for name in read:
            if is_mongo_variable(name):
                found.setdefault(name, token.line)
    return tuple(found.items())
