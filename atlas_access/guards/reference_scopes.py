"""Where a script's reference connection goes by another name for a while: a callback's or a function's parameter.

Pure. `getReferenceDb().then((db) => …)` and `read(await getReferenceDb())` of a function of the same file. What another
file's function is handed is not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from atlas_access.guards.script_tokens import CLOSING, OPENING, Token, first_of, matching

Opens = Callable[[Sequence[Token]], bool]
"""Whether a run of tokens leads to the reference connection."""


class Scope(NamedTuple):
    """From one token to another, a name holds the connection."""

    start: int
    end: int
    name: str


def scopes_in(
    tokens: Sequence[Token], opens: Opens, chain: Callable[[int], Sequence[Token]]
) -> Iterator[Scope]:
    """Every scope of a file; `chain` gives the members that lead to the one at an index."""
    functions = {
        tokens[at + 1].text: at + 2 for at in range(len(tokens) - 2) if tokens[at].text == "function"
    }
    for index, token in enumerate(tokens[:-1]):
        if tokens[index + 1].text != "(" or token.kind != "name":
            continue
        before = tokens[index - 1].text if index else ""
        if token.text == "then" and before in (".", "?."):
            if opens(chain(index)):
                close = matching(tokens, index + 1)
                yield from _named(tokens, index + 2, index + 2, close)
        elif token.text in functions and before != "function" and tokens[functions[token.text]].text == "(":
            yield from _handed(tokens, index + 1, functions[token.text], opens)


def _handed(tokens: Sequence[Token], call: int, opening: int, opens: Opens) -> Iterator[Scope]:
    """The parameters of a function that a call hands the connection to."""
    close = matching(tokens, opening)
    body = first_of(tokens, close, "{") or close
    parameters = _parts(tokens, opening)
    for (start, end), (parameter, _) in zip(_parts(tokens, call), parameters, strict=False):
        if opens(tokens[start:end]):
            yield from _named(tokens, parameter, body, matching(tokens, body))


def _named(tokens: Sequence[Token], at: int, start: int, end: int) -> Iterator[Scope]:
    """The scope of a parameter: `db`, `(db)`, `async (db)`, `{ db }`, `{ database: db }`."""
    while at < end and tokens[at].text in ("(", "async"):
        at += 1
    if tokens[at].kind == "name":
        yield Scope(start, end, tokens[at].text)
    elif tokens[at].text == "{":
        yield from (Scope(start, end, name) for name in names_between(tokens, at))


def names_between(tokens: Sequence[Token], opening: int) -> Iterator[str]:
    """The names that a destructuring makes."""
    for at in range(opening + 1, matching(tokens, opening)):
        if tokens[at].kind == "name" and tokens[at + 1].text in (",", "}", "="):
            yield tokens[at].text


def _parts(tokens: Sequence[Token], opening: int) -> list[tuple[int, int]]:
    """Where each argument or parameter between two brackets begins and ends."""
    close = matching(tokens, opening)
    found, depth, start = [], 0, opening + 1
    for at in range(opening + 1, close):
        text = tokens[at].text if tokens[at].kind == "op" else ""
        depth += (text in OPENING) - (text in CLOSING)
        if depth == 0 and text == ",":
            found.append((start, at))
            start = at + 1
    return [*found, (start, close)]
