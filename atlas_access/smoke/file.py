"""The text of `smoke.yaml` as a record, or every mistake it has, each with its line and the way out.

Never: reads a file itself, contacts anything, or repeats what could be a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from atlas_access.base import ManifestError, ManifestInvalid, Path, dotted, read_yaml, shown, suggestion
from atlas_access.manifest import check_text, check_values
from atlas_access.smoke.model import (
    COLLECTION,
    LOG_GROUP,
    MAILBOX,
    NAME,
    ROUTE,
    RUN_TIME,
    STATE,
    VARIABLE,
    ZIP,
    Limits,
    Request,
    Requests,
    Row,
    Scenario,
    SingleCheck,
    Smoke,
    Step,
    Waitlist,
    placeholders,
)

_FORMS = {
    NAME: ("not a name", "Use letters, digits, blanks and , . % ( ) _ + -."),
    ROUTE: ("not a path of the application", "Write it as /api/plans, without the host."),
    ZIP: ("not a ZIP code", 'Write five digits in quotes: "84094".'),
    STATE: ("not a state", "Write two capitals, such as UT."),
    VARIABLE: ("not a variable's name", "Use capitals, digits and _, such as MONGODB_WRITE_URI."),
    COLLECTION: ("not a collection's name", "Use the collection's own name."),
    LOG_GROUP: ("not a log group's name", "Use CloudWatch's name, such as /ecs/askflorence-{env}-app."),
    MAILBOX: (
        "not a synthetic mailbox",
        'Write it under example.com with a tag: "smoke+{tag}@example.com"; a gate signs up nobody\'s address.',
    ),
}
_TYPES = {
    "string_type": ("not a text", "Write a word, in quotes if it looks like a number."),
    "int_type": ("not a whole number", "Write a number without quotes."),
    "float_type": ("not a number", "Write a number without quotes."),
    "bool_type": ("neither true nor false", "Write true or false."),
    "tuple_type": ("not a list", "Write a list: [one, two]."),
    "dict_type": ("not a mapping", "Write key: value lines below it."),
    "model_type": ("not a mapping", "Write key: value lines below it."),
    "model_attributes_type": ("not a mapping", "Write key: value lines below it."),
}
_PARTS: dict[str, type[BaseModel]] = {
    "household": Scenario,
    "check": SingleCheck,
    "calculator": Scenario,
    "requests": Requests,
    "journey": Step,
    "waitlist": Waitlist,
    "limits": Limits,
}
_FIXTURES = frozenset(
    {"year", "provider", "drug_1", "drug_2", "rxcui", "plan", "check_year"}
    | {"zip", "state", "income", "people", "ages"}
)
_WAY_OUT = "Start from the smoke.yaml of this repository."

Mistake = tuple[Path, str, str]


class SmokeInvalid(ManifestInvalid):
    """`smoke.yaml` is refused; `errors` holds every mistake that was found, in the order of the file."""


def load_smoke(text: str | bytes, source: str = "smoke.yaml") -> Smoke:
    """Return the scenarios that text describes. Raises SmokeInvalid with every mistake found."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise SmokeInvalid([ManifestError(source, 1, "", "not UTF-8", "Save it as UTF-8.")]) from None
    secrets = check_text(text, source)
    document, unreadable = read_yaml(text, source)
    if document is None:
        raise SmokeInvalid([*secrets, *unreadable])
    if not isinstance(document.data, dict):
        raise SmokeInvalid([*secrets, ManifestError(source, 1, "", "not a mapping at the top", _WAY_OUT)])
    mistakes: list[Mistake] = []
    smoke = None
    try:
        smoke = Smoke.model_validate(document.data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        mistakes += [_mistake(item) for item in found if not _only_below(item, found)]
    mistakes += _senses(document.data)
    errors = [*secrets, *check_values(document, source)]
    quiet = {error.line for error in errors}
    for each in document.repeated:
        if each.line not in quiet:
            problem = f"written twice, first on line {each.first_line}"
            errors.append(ManifestError(source, each.line, dotted(each.path), problem, "Keep one of them."))
    for path, problem, remedy in mistakes:
        if (line := document.line(path)) not in quiet:
            errors.append(ManifestError(source, line, dotted(path), problem, remedy))
    if errors or smoke is None:
        raise SmokeInvalid(errors)
    return smoke


def _only_below(item: Any, found: Sequence[Any]) -> bool:
    """Whether a list counts as too short only because something in it is wrong, which is told already."""
    path = item["loc"]
    return item["type"] == "too_short" and any(
        len(other["loc"]) > len(path) and other["loc"][: len(path)] == path for other in found
    )


def _mistake(item: Any) -> Mistake:
    path = tuple("with" if part == "value" else part for part in item["loc"] if not _is_branch(part))
    kind, context = str(item["type"]), item.get("ctx", {})
    last = path[-1] if path else ""
    if kind == "extra_forbidden":
        known = _known(path[:-1])
        hint = suggestion(str(last), known) or f" Known here: {', '.join(known)}."
        return path, f"unknown key {shown(last)}", f"Remove it.{hint}"
    if kind == "missing":
        return path, f"{shown(last)} is missing", f"Add it. {_WAY_OUT}"
    if kind == "string_pattern_mismatch":
        problem, remedy = _FORMS.get(context["pattern"], ("not of the form that belongs here", _WAY_OUT))
        return path, f"{shown(item['input'])} is {problem}", remedy
    if kind == "literal_error":
        return path, f"{shown(item['input'])} is not allowed here", f"Write one of: {context['expected']}."
    if kind == "value_error":
        return path, str(context["error"]), "Write one of open, click, fill with with, or see."
    if kind == "too_short" and path == ("calculator",):
        return path, "too few scenarios", f"The regression has at least {context['min_length']}."
    problem, remedy = _TYPES.get(kind, ("out of bounds", f"{str(item['msg']).rstrip('.')}."))
    return path, problem, remedy


def _is_branch(part: str | int) -> bool:
    """Whether a part of pydantic's path names a branch of a union and not a place in the file."""
    return isinstance(part, str) and (part.startswith(("constrained-", "literal[")) or part in ("str", "int"))


def _known(path: Path) -> tuple[str, ...]:
    model: type[BaseModel] = Smoke
    if path:
        model = _PARTS.get(str(path[0]), Smoke)
    if path[:1] == ("requests",) and len(path) > 1:
        model = Request
    if path[:2] == ("waitlist", "rows"):
        model = Row
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _senses(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """What does not fit together: unknown placeholders and scenarios of one name."""
    scenarios = data.get("calculator")
    names: list[object] = []
    for index, scenario in enumerate(scenarios if isinstance(scenarios, tuple) else ()):
        name = scenario.get("name") if isinstance(scenario, dict) else None
        if name is not None and name in names:
            path: Path = ("calculator", index, "name")
            yield path, f"{shown(name)} names another scenario too", "Give each a name of its own."
        names.append(name)
    yield from _unknown_placeholders(("requests",), data.get("requests"), _FIXTURES | RUN_TIME)
    household = data.get("household")
    people = household.get("people") if isinstance(household, dict) else None
    # A single person's age belongs to the household's own journey: other scenarios have fewer people.
    ages = {f"age_{number}" for number in range(1, len(people) + 1)} if isinstance(people, tuple) else set()
    yield from _unknown_placeholders(("journey",), data.get("journey"), _FIXTURES | RUN_TIME | ages)


def _unknown_placeholders(path: Path, part: Any, known: frozenset[str]) -> Iterator[Mistake]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _unknown_placeholders((*path, key), value, known)
    elif isinstance(part, list | tuple):
        for index, value in enumerate(part):
            yield from _unknown_placeholders((*path, index), value, known)
    else:
        for name in sorted(placeholders(part) - known):
            hint = suggestion(name, known) or f" Known: {', '.join(sorted(known))}."
            yield path, f"no fixture fills {{{name}}}", f"Name a fixture.{hint}"
