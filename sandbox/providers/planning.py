"""Checked inputs, planned outputs, and inputs after a read, as the bridged providers compute them. Pure.

Defaults are recorded in `__defaults`; a computed output is unknown in the preview of a create and keeps its value in
the preview of an update.
"""

import hashlib
from typing import Any, Final

from sandbox.providers.diffing import changes, same
from sandbox.providers.resource import Failure, Property, ResourceType
from sandbox.values import UNKNOWN, Properties, Value, is_known

DEFAULTS: Final = "__defaults"
"""The input that lists the properties whose values the provider has chosen."""

_SUFFIX_LENGTH: Final = 7  # hexadecimal digits that Pulumi's automatic names end with


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


def with_defaults(
    resource: ResourceType[Any], given: Properties, old: Properties, name: str, seed: bytes
) -> Properties:
    """The inputs with defaults and automatic name filled in, and recorded where the type records them."""
    inputs, chosen = dict(given), []
    for prop in resource.inputs():
        if inputs.get(prop.name) is not None:
            continue
        if prop.name == resource.autoname:
            inputs[prop.name] = old.get(prop.name) or _automatic_name(name, seed)
            chosen.append(prop.name)
        elif prop.default is not None:
            inputs[prop.name] = prop.default
            chosen.append(prop.name)
    if not resource.records_defaults:
        return inputs
    blocks = {prop.name for prop in resource.properties if prop.block}
    inputs = {key: _mark(value) if key in blocks else value for key, value in inputs.items()}
    return {DEFAULTS: sorted(chosen), **inputs}


def _automatic_name(name: str, seed: bytes) -> str:
    return f"{name}-{hashlib.sha256(seed + name.encode()).hexdigest()[:_SUFFIX_LENGTH]}"


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
    planned = dict(old)
    changed = {change.property for change in changes(resource, old, inputs)}
    for prop in resource.inputs():
        if prop.name not in changed:
            continue
        if inputs.get(prop.name) is not None:
            planned[prop.name] = inputs[prop.name]
        else:
            planned.pop(prop.name, None)
    return planned


def inputs_after_read(resource: ResourceType[Any], old: Properties, state: Properties) -> Properties:
    """The inputs after a read: known ones follow the state; an import takes every input that has a value."""
    if not old:
        given = [
            p.name for p in resource.inputs() if p.required or state.get(p.name) not in (None, "", [], {})
        ]
        found = {name: state[name] for name in given}
        return with_defaults(resource, found, state, "", b"") if resource.records_defaults else found
    inputs: Properties = {DEFAULTS: old[DEFAULTS]} if DEFAULTS in old else {}
    for prop in resource.inputs():
        if prop.name in old:
            value = _followed(prop, old[prop.name], state.get(prop.name), old)
            if value is not None:
                inputs[prop.name] = value
    return inputs


def _followed(prop: Property, old: Value, now: Value, inputs: Properties) -> Value:
    before = without_defaults(old)
    if prop.kept or same(before, now):
        return old
    if prop.equivalent and now is not None and is_known(before) and prop.equivalent(now, before, inputs):
        return old
    return _mark(now) if prop.block and DEFAULTS in inputs else now
