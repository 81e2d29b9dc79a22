"""What differs, checked inputs, planned outputs, and inputs after a read, as the bridged providers compute them. Pure.

Outputs are compared with inputs, so that an update corrects drift found by a refresh. An empty string, list, object or
`false` that was never given is no difference, and a list's order means nothing. Defaults are recorded in `__defaults`;
a computed output is unknown in the preview of a create and keeps its value in the preview of an update.
"""

from collections.abc import Collection
from typing import Any, Final

from sandbox.engine.values import UNKNOWN, Properties, Value, is_known
from sandbox.providers.resource import Failure, Property, ResourceType

DEFAULTS: Final = "__defaults"
"""The input that lists the properties whose values the provider has chosen."""


def changes(
    resource: ResourceType[Any], old: Properties, new: Properties, ignored: Collection[str] = ()
) -> list[Property]:
    """The properties that would change from the state `old` to the inputs `new`, but for the ignored ones."""
    return [
        prop
        for prop in resource.inputs()
        if prop.name not in ignored and not _unchanged(prop, old.get(prop.name), new.get(prop.name), new)
    ]


def _unchanged(prop: Property, old: Value, new: Value, inputs: Properties) -> bool:
    if new is None and prop.computed:
        return True
    if prop.equivalent and is_known(new) and not _empty(old) and not _empty(new):
        return prop.equivalent(old, new, inputs)
    return same(old, new)


def same(old: Value, new: Value) -> bool:
    """Whether two values are equal, an empty one being equal to none."""
    if not is_known(new) or not is_known(old):
        return False
    if _empty(old) or _empty(new):
        return all(_empty(value) or value is False for value in (old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return all(same(old.get(name), new.get(name)) for name in old.keys() | new.keys())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(any(same(left, right) for left in old) for right in new)
    return bool(old == new)


def _empty(value: Value) -> bool:
    return value is None or value in ("", [], {})


def failures(resource: ResourceType[Any], given: Properties) -> list[Failure]:
    """Everything that is wrong with the inputs of a program, as check failures."""
    known = {prop.name: prop for prop in resource.inputs()}
    found = [
        Failure(name, f"{name!r} of {resource.token} is not served by the sandbox's provider; leave it out")
        for name in given
        if name not in known and name != DEFAULTS
    ]
    found += [
        Failure(prop.name, f"Missing required argument: {prop.name!r} is required, but nothing was given")
        for prop in known.values()
        if prop.required and given.get(prop.name) is None
    ]
    return found or resource.validate(given)


def with_defaults(resource: ResourceType[Any], given: Properties) -> Properties:
    """The inputs with defaults filled in, and recorded where the type records them."""
    chosen = {
        prop.name: prop.default
        for prop in resource.inputs()
        if prop.default is not None and given.get(prop.name) is None
    }
    inputs = {**given, **chosen}
    if not resource.records_defaults:
        return inputs
    blocks = {prop.name for prop in resource.properties if prop.block}
    inputs = {key: _mark(value) if key in blocks else value for key, value in inputs.items()}
    return {DEFAULTS: sorted(chosen), **inputs}


def _mark(value: Value) -> Value:
    if isinstance(value, list):
        return [_mark(item) for item in value]
    if isinstance(value, dict):
        return {DEFAULTS: [], **{key: _mark(item) for key, item in value.items()}}
    return value


def without_defaults(value: Value) -> Value:
    """The value without any `__defaults`, at every depth."""
    if isinstance(value, dict):
        return {key: without_defaults(item) for key, item in value.items() if key != DEFAULTS}
    if isinstance(value, list):
        return [without_defaults(item) for item in value]
    return value


def planned_create(resource: ResourceType[Any], inputs: Properties) -> Properties:
    """The outputs that a create would leave, as far as they can be known before it."""
    planned: Properties = {}
    for prop in resource.properties:
        if inputs.get(prop.name) is not None:
            planned[prop.name] = inputs[prop.name]
        elif prop.output_only or prop.computed:
            planned[prop.name] = UNKNOWN
    return planned


def planned_update(resource: ResourceType[Any], old: Properties, inputs: Properties) -> Properties:
    """The outputs that an update would leave: what does not change keeps its value and its form."""
    changed = {prop.name: inputs.get(prop.name) for prop in changes(resource, old, inputs)}
    return {
        name: value for name, value in {**old, **changed}.items() if name not in changed or value is not None
    }


def inputs_after_read(resource: ResourceType[Any], old: Properties, state: Properties) -> Properties:
    """The inputs after a read: known ones follow the state; an import takes every input that has a value."""
    if not old:
        found = {
            p.name: state[p.name] for p in resource.inputs() if p.required or not _empty(state.get(p.name))
        }
        return with_defaults(resource, found) if resource.records_defaults else found
    followed = {
        prop.name: _followed(prop, old[prop.name], state.get(prop.name), old)
        for prop in resource.inputs()
        if prop.name in old
    }
    kept = {DEFAULTS: old[DEFAULTS]} if DEFAULTS in old else {}
    return {**kept, **{name: value for name, value in followed.items() if value is not None}}


def _followed(prop: Property, old: Value, now: Value, inputs: Properties) -> Value:
    before = without_defaults(old)
    if prop.kept or same(before, now):
        return old
    if prop.equivalent and now is not None and is_known(before) and prop.equivalent(now, before, inputs):
        return old
    return _mark(now) if prop.block and DEFAULTS in inputs else now
