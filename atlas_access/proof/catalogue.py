"""The catalogue of attempts: every operation that a proof tries or decides, one row each of `operations.txt`.

Adding an operation is adding one row; an operation without a harmless form is decided by the server's own list of
privileges.
"""

import json
import re
from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

from atlas_access.proof.operation import (
    Command,
    Form,
    Kind,
    Need,
    On,
    Operation,
    Reach,
    Scope,
    Target,
    explained,
)

_FIELD = re.compile(r"<(token|collection|via|database|uuid)>")
_Built = Callable[[Target], Any]


def _template(value: object) -> _Built | None:
    """What builds a value of a row's command for a target, its <fields> filled in; None where it has none."""
    match value:
        case str() if whole := _FIELD.fullmatch(value):
            return attrgetter(whole[1])
        case str() if _FIELD.search(value):
            return _FIELD.sub(r"{0.\1}", value).format
        case dict():
            keys = [(key, _template(key)) for key in value]
            items = [(each, _template(each)) for each in value.values()]
            pairs = tuple(zip(keys, items, strict=True))
            if any(built for pair in pairs for _, built in pair):
                return lambda target: {_filled(key, target): _filled(each, target) for key, each in pairs}
        case list():
            parts = tuple((each, _template(each)) for each in value)
            if any(built for _, built in parts):
                return lambda target: [_filled(each, target) for each in parts]
    return None


def _filled(part: tuple[object, _Built | None], target: Target) -> Any:
    value, build = part
    return value if build is None else build(target)


def _command(form: Form, text: str) -> Callable[[Target], Command] | None:
    if not text:
        return None
    whole = json.loads(text)
    build = _template(whole) or (lambda _: whole)
    if form is Form.EXPLAIN:
        return lambda target: explained(build(target))
    if form is Form.RANDOM_UUID:
        return lambda target: {**build(target), "collectionUUID": target.uuid}
    return build


def _needs(text: str) -> tuple[Need, ...]:
    pairs = (each.partition(" @ ") for each in text.split(", ") if each)
    return tuple(Need(action, On(where or On.TARGET)) for action, _, where in pairs)


def _rows(text: str) -> Iterator[Operation]:
    """Read the table. Raises ValueError for a row that has not its form."""
    sources: dict[str, str] = {}
    scope = Scope.COLLECTION
    for line in filter(None, text.splitlines()):
        if line.startswith("#"):
            continue
        if line.startswith("["):
            scope = Scope(line.strip("[]"))
        elif re.match(r"[A-Z]+ = ", line):
            short, _, section = line.partition(" = ")
            sources[short] = section
        else:
            name, form, needs, flags, codes, source, command = map(str.strip, line.split("|"))
            wanted, _, instead = needs.partition(" or ")
            said = dict(each.partition(":")[::2] for each in flags.split())
            yield Operation(
                name,
                scope,
                Form(form),
                _needs(wanted),
                "; ".join(sources.get(each, each) for each in source.split("; ")),
                _command(Form(form), command),
                frozenset(map(int, codes.split())),
                _needs(instead),
                Reach.FOCUS if "focus" in said else Reach.EVERYWHERE,
                on_admin=scope is Scope.CLUSTER or "on_admin" in said,
                core="core" in said,
                for_app="app" in said,
                since=int(said.get("since", 0)),
                exclusive="exclusive" in said,
                makes="makes" in said,
                unsafe=frozenset(Kind(said[each]) for each in said.keys() & {"unsafe"}),
            )


OPERATIONS = tuple(_rows(Path(__file__).with_name("operations.txt").read_text(encoding="utf-8")))
_BY_NAME = {operation.name: operation for operation in OPERATIONS}


def operation(name: str) -> Operation:
    """Return the row of this name; raises `KeyError` when the catalogue has none."""
    return _BY_NAME[name]


def of_scope(scope: Scope) -> tuple[Operation, ...]:
    """Return the rows of one scope, in the catalogue's order."""
    return tuple(row for row in OPERATIONS if row.scope is scope)
