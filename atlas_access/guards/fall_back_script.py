"""Fall-backs between variables in TypeScript and JavaScript, by their tokens.

Pure. It sees `||`, `??` and their assignments, a conditional, a default in a destructuring, a `catch`, a choice from a
list, and an `if` of which one side assigns or returns another variable; names and functions of the file are followed to
the variables that they read. A branch that throws is no fall-back. It cannot see one between files (`refUri ?? mainUri`
of an import), in a `switch`, a loop or a function that is handed both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from atlas_access.guards.script_tokens import CLOSING, OPENING, Token, body_of, ends_statement, matching
from atlas_access.guards.variables import NAME, Pairs, is_mongo_variable

_EITHER = frozenset({"||", "??", "||=", "??="})
_STOPS = frozenset({";", ",", "=>", "return", "const", "let", "var", "export", "await", "case", ":"})
_STARTS = _STOPS | {"=", "?"}
_REACH = 400
_Names = Mapping[str, tuple[str, ...]]
_Found = tuple[tuple[str, int], ...]
_Reads = Callable[[Sequence[Token]], _Found]
"""The variables that a run of tokens reads, each with its first line."""


def pairs_in_script(tokens: Sequence[Token], known: frozenset[str]) -> Pairs:
    """Line, wanted and fallback of every fall-back."""
    names = _followed(tokens, known)

    def reads(run: Sequence[Token]) -> _Found:
        return _variables(run, names, known)

    for index, token in enumerate(tokens):
        if token.kind == "op" and token.text in _EITHER:
            before = reads(tokens[_start(tokens, index) : index])
            yield from _pairs(before[-1:], reads(tokens[index + 1 : _end(tokens, index + 1)]))
        elif token.text == "?" and token.kind == "op":
            yield from _conditional(tokens, index, reads)
        elif token.text == "if" and token.kind == "name":
            yield from _branch(tokens, index, reads)
        elif token.text == "catch" and token.kind == "name":
            yield from _caught(tokens, index, reads)
        elif token.text in ("find", "filter") and index > 1 and tokens[index - 2].text == "]":
            yield from _chosen(tokens, index, reads)
        elif token.text == "=" and token.kind == "op" and index and is_mongo_variable(tokens[index - 1].text):
            yield from _default(tokens, index, reads)


def _conditional(tokens: Sequence[Token], index: int, reads: _Reads) -> Pairs:
    if index + 1 < len(tokens) and tokens[index + 1].text == ":":
        return  # an optional member of a type
    tested = reads(tokens[_start(tokens, index) : index])
    middle = _end(tokens, index + 1)
    if tested and middle < len(tokens) and tokens[middle].text == ":":
        for start in (index + 1, middle + 1):
            yield from _pairs(tested[:1], reads(tokens[start : _end(tokens, start)]))


def _branch(tokens: Sequence[Token], index: int, reads: _Reads) -> Pairs:
    """`if (!a) a = b`, `if (!a) { return b() }`, `if (a) … else a = b`, `if (a) { return a } return b`."""
    if index + 2 >= len(tokens) or tokens[index + 1].text != "(":
        return
    close = matching(tokens, index + 1)
    test = tokens[index + 2 : close]
    absent = any(each.text in ("!", "==", "===") for each in test)
    wanted = reads(test)
    if not wanted or close + 1 >= len(tokens):
        return
    body, after = _block(tokens, close + 1)
    if not absent and after < len(tokens) and tokens[after].text == "else":
        body, _ = _block(tokens, after + 1)
    elif not absent and any(each.text == "return" for each in body):
        body = tokens[after : _end(tokens, after, ";")] if _text(tokens, after) == "return" else ()
    elif not absent:
        return
    yield from _pairs(wanted[:1], _alternatives(body, reads))


def _caught(tokens: Sequence[Token], index: int, reads: _Reads) -> Pairs:
    """`try { a } catch { return b }`, `a.catch(() => b)`."""
    before, after = _text(tokens, index - 1), _text(tokens, index + 1)
    if before in (".", "?.") and after == "(":
        handler = tokens[index + 2 : matching(tokens, index + 1)]
        wanted = reads(tokens[_start(tokens, index - 1) : index - 1])
        if not any(each.text == "throw" for each in handler):
            yield from _pairs(wanted[-1:], reads(handler))
    elif before == "}":
        opening = _opening(tokens, index - 1)
        if _text(tokens, opening - 1) != "try":
            return
        start = matching(tokens, index + 1) + 1 if after == "(" else index + 1
        wanted = reads(tokens[opening:index])
        yield from _pairs(wanted[:1], _alternatives(_block(tokens, start)[0], reads))


def _chosen(tokens: Sequence[Token], index: int, reads: _Reads) -> Pairs:
    """`[a, b].find(Boolean)`: the first that is there."""
    opening = _opening(tokens, index - 2)
    if opening > 0 and (tokens[opening - 1].kind != "op" or tokens[opening - 1].text in CLOSING):
        return  # a member, not a list
    found = reads(tokens[opening + 1 : index - 2])
    for first, second in pairwise(found):
        yield from _pairs((first,), (second,))


def _alternatives(body: Sequence[Token], reads: _Reads) -> _Found:
    """The variables that a branch assigns or returns, none when it throws before."""
    found: _Found = ()
    for at, token in enumerate(body):
        if token.text == "throw":
            break
        if token.text in ("=", "return"):
            found += reads(body[at + 1 : _end(body, at + 1, ";")])
    return found


def _block(tokens: Sequence[Token], start: int) -> tuple[Sequence[Token], int]:
    """The statement or block that begins at `start`, and where the next one begins."""
    if _text(tokens, start) == "{":
        close = matching(tokens, start)
        return tokens[start + 1 : close], close + 1
    end = _end(tokens, start, ";")
    return tokens[start:end], end + (_text(tokens, end) == ";")


def _opening(tokens: Sequence[Token], close: int) -> int:
    """The index of the bracket that the one at `close` closes; 0 when none does."""
    depth = 0
    for at in range(close, -1, -1):
        text = tokens[at].text if tokens[at].kind == "op" else ""
        depth += (text in CLOSING) - (text in OPENING)
        if depth == 0:
            return at
    return 0


def _text(tokens: Sequence[Token], index: int) -> str:
    return tokens[index].text if 0 <= index < len(tokens) else ""


def _default(tokens: Sequence[Token], index: int, reads: _Reads) -> Pairs:
    """`const { A = process.env.B } = process.env`."""
    if index > 1 and tokens[index - 2].text in ("{", ","):
        wanted = ((tokens[index - 1].text, tokens[index - 1].line),)
        yield from _pairs(wanted, reads(tokens[index + 1 : _end(tokens, index + 1)]))


def _pairs(wanted: _Found, fallback: _Found) -> Pairs:
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
            if token.text in ("const", "let", "var") and tokens[index + 1].text == "{":
                _remember_renamed(names, tokens, index + 1)
            elif token.text in ("const", "let", "var") and tokens[index + 1].kind == "name":
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
                body = body_of(tokens, index)
                if body is not None:
                    run = tokens[body : matching(tokens, body)]
                    _remember(names, f"{tokens[index + 1].text}()", run, known)
    return names


def _remember_renamed(names: dict[str, tuple[str, ...]], tokens: Sequence[Token], opening: int) -> None:
    """`const { A: a, B: b } = process.env`."""
    close = matching(tokens, opening)
    if _text(tokens, close + 1) != "=" or "env" not in [_text(tokens, close + step) for step in range(2, 7)]:
        return
    for at in range(opening + 1, close - 1):
        if (
            is_mongo_variable(tokens[at].text)
            and tokens[at + 1].text == ":"
            and tokens[at + 2].kind == "name"
        ):
            names.setdefault(tokens[at + 2].text, (tokens[at].text,))
        elif is_mongo_variable(tokens[at].text) and tokens[at + 1].text in (",", "}"):
            names.setdefault(tokens[at].text, (tokens[at].text,))


def _remember(
    names: dict[str, tuple[str, ...]], name: str, tokens: Sequence[Token], known: frozenset[str]
) -> None:
    found = tuple(dict.fromkeys(variable for variable, _ in _variables(tokens, names, known)))
    if len(found) == 1:
        names.setdefault(name, found)


def _variables(tokens: Sequence[Token], names: _Names, known: frozenset[str]) -> _Found:
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
