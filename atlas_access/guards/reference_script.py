"""What TypeScript and JavaScript code reads through the reference connection, by its tokens.

Pure. Names are followed from the variable, or from a function that opens the connection, to `.collection(…)`: declared
or assigned later, taken out of an object, a field of `this`, a parameter within the file. It cannot see a connection
that another file's function is handed, a method that is not called by its name (`db["collection"]`), or a pipeline that
another file or a function makes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from atlas_access.guards.reference_python import HANDLE, STAGES
from atlas_access.guards.reference_scopes import names_between, scopes_in
from atlas_access.guards.script_tokens import (
    CLOSING,
    OPENING,
    Token,
    body_of,
    ends_statement,
    first_of,
    matching,
)

_DECLARING = frozenset({"const", "let", "var"})
_REACH = 200


def functions_in_script(tokens: Sequence[Token], variable: str) -> frozenset[str]:
    """The file's functions whose body speaks of the variable: they open the connection."""
    found: set[str] = set()
    for index, token in enumerate(tokens[:-1]):
        if token.text == "function" and tokens[index + 1].kind == "name":
            body = body_of(tokens, index)
            if body is not None and _speaks_of(tokens[body : matching(tokens, body)], variable):
                found.add(tokens[index + 1].text)
        elif token.text in _DECLARING and tokens[index + 1].kind == "name":
            value = _value(tokens, index + 1)
            arrow = next((at for at, each in enumerate(value) if each.text == "=>"), None)
            if arrow is not None and _speaks_of(value[arrow:], variable):
                found.add(tokens[index + 1].text)
    return frozenset(found)


def reads_in_script(
    tokens: Sequence[Token], variable: str, openers: frozenset[str]
) -> Iterator[tuple[int, str]]:
    """Line and name of every collection that is reached; the name is empty when the code does not tell."""
    opens = partial(_opens, variable=variable, openers=openers)
    everywhere, collections, texts = _followed(tokens, variable, opens)
    pipelines = _pipelines(tokens)
    scopes = tuple(scopes_in(tokens, lambda run: opens(run, everywhere), lambda at: _chain(tokens, at)))
    for index, token in enumerate(tokens):
        if token.text not in ("collection", "aggregate"):
            continue
        handles = everywhere | {scope.name for scope in scopes if scope.start <= index < scope.end}
        if token.text == "collection" and index and tokens[index - 1].text in (".", "?."):
            call = _call(tokens, index)
            if call is None or not opens(_chain(tokens, index), handles):
                continue
            argument = tokens[call + 1 : matching(tokens, call)]
            first = argument[0] if argument else token
            alone = len(argument) == 1 or (len(argument) > 1 and argument[1].text == ",")
            if alone and first.kind == "string":
                yield first.line, first.text
            else:
                yield first.line, texts.get(first.text, "") if alone else ""
        elif token.text == "aggregate" and index and tokens[index - 1].text in (".", "?."):
            call = _call(tokens, index)
            if call is not None and opens(_chain(tokens, index), handles | collections):
                arguments = tokens[call : matching(tokens, call)]
                yield from _stages(arguments, texts)
                for each in arguments:
                    yield from _stages(pipelines.get(each.text, ()) if each.kind == "name" else (), texts)


def _pipelines(tokens: Sequence[Token]) -> dict[str, Sequence[Token]]:
    """The lists that are declared, by their names."""
    found: dict[str, Sequence[Token]] = {}
    for index, token in enumerate(tokens[:-1]):
        if token.text in _DECLARING and tokens[index + 1].kind == "name":
            value = _value(tokens, index + 1)
            if value and value[0].text == "[":
                found.setdefault(tokens[index + 1].text, value)
    return found


def _stages(tokens: Sequence[Token], texts: dict[str, str]) -> Iterator[tuple[int, str]]:
    for index, token in enumerate(tokens[:-2]):
        value = tokens[index + 2]
        if token.text in STAGES and tokens[index + 1].text == ":" and value.text != "{":
            yield value.line, value.text if value.kind == "string" else texts.get(value.text, "")


def _followed(
    tokens: Sequence[Token], variable: str, opens: Callable[[Sequence[Token], Collection[str]], bool]
) -> tuple[frozenset[str], frozenset[str], dict[str, str]]:
    """Names that hold the connection or its database, names that hold its collections, and names that hold a text."""
    handles: set[str] = set()
    collections: set[str] = set()
    texts: dict[str, str] = {}
    for _ in range(3):
        for index, token in enumerate(tokens[:-1]):
            if token.text in _DECLARING and tokens[index + 1].text == "{":
                value = _value(tokens, matching(tokens, index + 1))
                if opens(value, handles):
                    handles |= {name for name in names_between(tokens, index + 1) if name != variable}
                continue
            if token.text in _DECLARING and tokens[index + 1].kind == "name":
                name, value = tokens[index + 1].text, _value(tokens, index + 1)
            elif token.kind == "name" and tokens[index + 1].text == "=":
                name, value = token.text, _value(tokens, index)
            else:
                continue
            written = [each for each in value if each.text not in ("as", "const")]
            if len(written) == 1 and written[0].kind == "string":
                texts.setdefault(name, written[0].text)
            elif any(each.text == "=>" for each in value) or not opens(value, handles):
                continue
            elif not any(each.text == "collection" for each in value):
                handles.add(name)
            elif not any(
                each.text in ("find", "findOne", "aggregate", "countDocuments", "distinct") for each in value
            ):
                collections.add(name)
    return frozenset(handles), frozenset(collections), texts


def _opens(tokens: Sequence[Token], handles: Collection[str], variable: str, openers: frozenset[str]) -> bool:
    for index, token in enumerate(tokens):
        if token.text == variable:
            return True
        before = tokens[index - 1].text if index else ""
        named = token.text in handles or HANDLE.match(token.text) is not None
        if before in (".", "?."):
            if named and tokens[index - 2].text == "this":
                return True
        elif token.kind == "name" and (named or token.text in openers):
            return True
    return False


def _chain(tokens: Sequence[Token], index: int) -> Sequence[Token]:
    """The chain of members that leads to the one at `index`."""
    depth, start = 0, index
    for at in range(index - 1, max(-1, index - _REACH), -1):
        token = tokens[at]
        if depth == 0 and ends_statement(tokens, at):
            break
        if token.text in CLOSING and token.kind == "op":
            depth += 1
        elif token.text in OPENING and token.kind == "op":
            if depth == 0:
                break
            depth -= 1
        elif (depth == 0 and token.kind != "name" and token.text not in (".", "?.", "!", "<", ">")) or (
            depth == 0 and token.kind == tokens[at + 1].kind == "name" and token.text != "await"
        ):
            break
        start = at
    return tokens[start:index]


def _call(tokens: Sequence[Token], index: int) -> int | None:
    """The bracket that opens a call's arguments, behind the type arguments it may have."""
    for at in range(index + 1, min(index + 30, len(tokens))):
        if tokens[at].text == "(":
            return at
        if at == index + 1 and tokens[at].text not in ("<", "?."):
            return None
    return None


def _value(tokens: Sequence[Token], name: int) -> Sequence[Token]:
    """What a declaration assigns, up to the end of its statement."""
    equals = first_of(tokens, name, "=", ";")
    if equals is None or tokens[equals].text != "=":
        return ()
    depth = 0
    for at in range(equals + 1, len(tokens)):
        text = tokens[at].text if tokens[at].kind in ("op", "name") else ""
        if text in OPENING:
            depth += 1
        elif text in CLOSING:
            depth -= 1
        if depth < 0 or (
            depth == 0 and (text in _DECLARING or text in (";", "function", "export", "return"))
        ):
            return tokens[equals + 1 : at]
        if depth == 0 and ends_statement(tokens, at):
            return tokens[equals + 1 : at + 1]
    return tokens[equals + 1 :]


def _speaks_of(tokens: Sequence[Token], variable: str) -> bool:
    return any(token.text == variable for token in tokens)
