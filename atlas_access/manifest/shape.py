"""A file's data against a pydantic model: every mistake of it, in words.

The error types that validators raise, the words for pydantic's own, and leaving out what is broken so that the rest can
still be checked. No value that could be a secret is repeated.
"""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ValidationError, WrapValidator
from pydantic_core import InitErrorDetails, PydanticCustomError

from atlas_access.base import Document, ManifestError, Path, Plain, dotted, shown, suggestion
from atlas_access.privileges import ATLAS_ACTIONS, Effect, effect_of

VERSION = 1
"""The newest version of these files that this tool understands."""

Mistake = tuple[Path, str, str]
"""Path, problem and remedy of one mistake."""

ModelT = TypeVar("ModelT", bound=BaseModel)

_MAPPING = ("not a mapping", "Write key: value lines below it.")
_TYPES = {
    "string_type": ("not a text", "Write a word, in quotes if it looks like a number."),
    "int_type": ("not a whole number", "Write a number without quotes."),
    "float_type": ("not a number", "Write a number without quotes."),
    "tuple_type": ("not a list", "Write a list: [one, two]."),
    "bool_type": ("neither true nor false", "Write true or false."),
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
}
_RULE = "rule"
"""The type of errors about how well-formed parts fit together: nothing is left out because of them."""


def wrong(problem: str, remedy: str, kind: str = "form") -> PydanticCustomError:
    """Return the error that a validator raises about one part."""
    return PydanticCustomError(kind, "{problem}. {remedy}", {"problem": problem, "remedy": remedy})


def refuse(mistakes: Iterable[Mistake], kind: str = "form") -> None:
    """Raise all mistakes at once, for a validator; paths continue the validated part's own. Nothing for none."""
    errors = [
        InitErrorDetails(type=wrong(problem, remedy, kind), loc=path, input=None)
        for path, problem, remedy in mistakes
    ]
    if errors:
        raise ValidationError.from_exception_data(kind, errors)


def refuse_rules(mistakes: Iterable[Mistake]) -> None:
    """Raise all mistakes about how the parts of a file fit together, for the validator of the whole."""
    refuse(mistakes, _RULE)


def form(problem: str, remedy: str) -> WrapValidator:
    """Say of a value that is not of the declared form, such as a pattern, what it is not, and the remedy."""

    def validate(value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            if error.errors(include_url=False)[0]["type"] == "string_type":
                raise
        if "*" in str(value):
            raise wrong(*WILDCARD)
        raise wrong(f"{shown(value)} is {problem}" if isinstance(value, str) else problem, remedy)

    return WrapValidator(validate)


WILDCARD = ("a wildcard", "Name each collection, action and role: what is granted can then be reviewed.")


def listed_once(names: Collection[str]) -> Collection[str]:
    """Raise every name that a list holds already, for a validator."""
    order = list(names)
    refuse(
        ((index,), f"{shown(name)} is listed twice", "Name it once.")
        for index, name in enumerate(order)
        if name in order[:index]
    )
    return names


def unnamed(action: str) -> str:
    """Refuse an action that a table here names, for a validator: its table judges it, accepted or not."""
    if effect_of(action) is not Effect.UNKNOWN or action in ATLAS_ACTIONS:
        raise wrong(f"{action} is known here, so that accepting it changes nothing", "Remove it.")
    return action


def _version(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("not a version", f"Write `version: {VERSION}`.", "version")
    if value > VERSION:
        problem = f"version {value} is newer than this tool, which reads version {VERSION}"
        raise wrong(problem, "Update atlas-access.", "version")
    return value


Version = Annotated[Literal[1], BeforeValidator(_version)]


@dataclass
class Known:
    """What a validator knows of the parts that were left out: the names in the file, and what is in doubt."""

    file: Mapping[str, Plain]
    broken: set[str] = field(default_factory=set)
    """Sections of which an entry was left out."""
    unsure: set[str] = field(default_factory=set)
    """Sections whose names are not known: the section, or a name in it, is malformed, or its key is mistyped."""

    def names(self, section: str) -> tuple[str, ...]:
        """The names that a section of the file declares, well-formed or not, in the file's order."""
        entries = self.file.get(section)
        return tuple(entries) if isinstance(entries, dict) else ()


def check_shape(
    model: type[ModelT], document: Document, depths: Mapping[str, int] | None = None
) -> tuple[ModelT | None, tuple[ManifestError, ...]]:
    """Return a document as a model, and every mistake; only when there is none, the model is complete.

    `depths` says for a section how deep its entries are: a malformed one is left out, so that the model's own rules
    still see the others (`info.context` is Known). The model is None when a part is broken that it cannot do without.
    """
    data = document.data
    if data is None:
        return None, report(document, [((), "the file is empty", "Start from the file of this repository.")])
    if not isinstance(data, dict):
        remedy = f"Start with `version: {VERSION}` and the other keys."
        return None, report(document, [((), "not a mapping at the top", remedy)])
    known, mistakes, kept = Known(data), list[Mistake](), data
    for _ in range(4):
        try:
            return model.model_validate(kept, context=known), report(document, mistakes)
        except ValidationError as error:
            found = error.errors(include_url=False)
        of_version = [item for item in found if item["type"] == "version"]
        if of_version:
            return None, report(document, _mistakes(model, of_version))
        if not mistakes or found[0]["type"] == _RULE:
            mistakes += _mistakes(model, found)
        if found[0]["type"] == _RULE:
            break
        for item in found:
            path, section = item["loc"], str(item["loc"][0])
            depth = (depths or {}).get(section, 1)
            kept = _without(kept, path[:depth])
            known.broken.add(section)
            if len(path) < depth or path[depth:] == ("[key]",):
                known.unsure.add(section)
            if item["type"] == "extra_forbidden" and len(path) == 1:
                known.unsure |= model.model_fields.keys() - data.keys()
    return None, report(document, mistakes)


def report(document: Document, mistakes: Iterable[Mistake]) -> tuple[ManifestError, ...]:
    """Return the document's own errors and the mistakes; none is added to a line that holds a secret."""
    errors, quiet = list(document.errors), {error.line for error in document.errors if not error.where}
    for path, problem, remedy in mistakes:
        if (line := document.line(path)) not in quiet:
            errors.append(ManifestError(document.source, line, dotted(path), problem, remedy))
    return tuple(errors)


def _mistakes(model: type[BaseModel], found: list[Any]) -> Iterator[Mistake]:
    """Every error in words, but not what only follows from another one."""
    errors = [(_place(item), item) for item in found]
    missing = {path for path, item in errors if item["type"] == "missing"}
    unknown = {
        path: known
        for path, item in errors
        if (known := _keys(model, path[:-1])) and path[-1] not in known
        if item["type"] != _RULE and "*" not in str(path[-1])
    }
    mistyped: dict[Path, Collection[str]] = {}
    for path, known in unknown.items():
        lacking = [key for key in known if (*path[:-1], key) in missing]
        alone = sum(other[:-1] == path[:-1] for other in unknown) == 1
        near = difflib.get_close_matches(str(path[-1]), lacking, n=1, cutoff=0.5)
        meant = near or (lacking[:1] if alone else [])
        missing -= {(*path[:-1], key) for key in meant}
        mistyped[path] = meant or known
    for path, item in errors:
        below = item["type"] == "too_short" and any(
            len(other) > len(path) and other[: len(path)] == path for other, _ in errors
        )
        if path in mistyped:
            key = str(path[-1])
            hint = suggestion(key, mistyped[path]) or f" Known here: {', '.join(mistyped[path])}."
            yield path, f"unknown key {shown(key)}", f"Remove it.{hint}"
        elif not below and (item["type"] != "missing" or path in missing):
            yield path, *_words(path, item)


def _words(path: Path, item: Any) -> tuple[str, str]:
    kind, context = str(item["type"]), item.get("ctx", {})
    if "problem" in context:
        return context["problem"], context["remedy"]
    if kind == "extra_forbidden":
        return WILDCARD
    if kind == "missing":
        return f"{shown(path[-1])} is missing", "Add it."
    if kind in ("literal_error", "enum"):
        return f"{shown(item['input'])} is not allowed here", f"Write one of: {context['expected']}."
    if kind == "too_short" and context["min_length"] == 1:
        return "is empty", "Name at least one, or remove the entry."
    if kind == "too_short":
        return f"fewer than {context['min_length']} entries", "Add the missing ones."
    bounds = kind.startswith(("greater_", "less_", "too_", "string_too_"))
    reason = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
    return _TYPES.get(kind, ("out of bounds" if bounds else "not valid", f"{reason}."))


def _place(item: Any) -> Path:
    """The path of an error in the file: without pydantic's names for keys and for the branches of a union."""
    branch = ("constrained-", "literal[", "function-", "[key]")
    path = tuple(part for part in item["loc"] if not str(part).startswith(branch))
    return path[:-1] if path[-1:] in {("int",), ("str",)} and item["type"] in _TYPES else path


def _keys(kind: Any, path: Path) -> tuple[str, ...]:
    """The keys that a model knows at a path."""
    while get_origin(kind) is Annotated or NoneType in get_args(kind):
        kind = next(each for each in get_args(kind) if each is not NoneType)
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        below = [each for each in get_args(kind) if each is not Ellipsis]
        return _keys(below[-1], path[1:]) if path and below else ()
    fields = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
    if not path:
        return tuple(fields)
    if path[0] in fields:
        return _keys(fields[str(path[0])], path[1:])
    return _keys(kind.__annotations__.get("__pydantic_extra__"), path)


def _without(data: dict[str, Plain], path: Path) -> dict[str, Plain]:
    head, rest = str(path[0]), path[1:]
    below = data.get(head)
    if rest and isinstance(below, dict):
        return {**data, head: _without(below, rest)}
    return {key: value for key, value in data.items() if key != head}
