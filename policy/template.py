"""CloudFormation templates as far as their text decides: parameters count by the stack's values or their defaults.

What a condition decides that the text leaves open counts both ways. What another stack, a store or a macro decides is
`OUTSIDE` the program. A role's name and an allowed resource that are known in part are patterns, `*` for what is not.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from policy.resources import Resource
from policy.values import OUTSIDE, UNKNOWN, Marker, Value, from_protocol, markers, texts

TEMPLATE: Final = re.compile(
    r"aws(?:-native)?:(?:cloudformation[:/]stack(?:Set)?|serverless(?::application|repository/.*))(?:\W|$)",
    re.IGNORECASE,
)
_MOST_CONDITIONS = 4
"""More open conditions of one resource are not tried in every combination: what they decide is OUTSIDE."""

_FUNCTION = re.compile(r"(?:Ref|Condition)$|Fn::")
_VARIABLE = re.compile(r"\$\{([^}!][^}]*)\}")
_PSEUDO: Final[Mapping[str, Value]] = {
    "AWS::AccountId": "*",
    "AWS::Region": "*",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}
_MACROS_OF_AWS = frozenset(
    {"AWS::Serverless-2016-10-31", "AWS::LanguageExtensions", "AWS::CodeDeployBlueGreen"}
)
"""Transforms whose results this module reads, or that start nothing of their own."""


class _Yaml(yaml.SafeLoader):  # type: ignore[misc]
    """YAML, and so JSON, with the short forms of functions; CloudFormation takes no aliases either."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Read a node."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError
        return super().compose_node(parent, index)

    def function(self, name: str, node: Any) -> Any:
        """A function in its long form."""
        build = self.construct_mapping if node.id == "mapping" else self.construct_sequence
        given = self.construct_scalar(node) if node.id == "scalar" else build(node, deep=True)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": given}


_Yaml.add_multi_constructor("!", _Yaml.function)


@dataclass
class Template:
    """A template's body and what its text calls by name: parameters, resources, and conditions as they are tried."""

    body: Mapping[str, Value]
    names: Mapping[str, Value]
    tried: Mapping[str, bool] = field(default_factory=dict)
    undecided: set[str] = field(default_factory=set)

    @property
    def resources(self) -> dict[str, Value]:
        """The resources by their logical ids; empty where they cannot be read."""
        listed = self.section("Resources")
        return {} if any(key.startswith("Fn::") for key in listed) else listed

    @property
    def has_macros(self) -> bool:
        """Whether something that is not read here rewrites the template before it is deployed."""
        named = self.body.get("Transform") or []
        macros = named if isinstance(named, list) else [named]
        keys = {text for path, text in texts(dict(self.body)) if path.endswith("<key>")}
        return "Fn::Transform" in keys or not _MACROS_OF_AWS.issuperset(map(str, macros))

    def section(self, name: str) -> dict[str, Value]:
        """A part of the template; empty where it is absent or none."""
        listed = self.body.get(name)
        return listed if isinstance(listed, dict) else {}

    def variants(self, value: Value) -> Iterator[Value]:
        """What a value becomes, by each way in which its open conditions may be decided."""
        self.tried, self.undecided = {}, set()
        try:
            first = self._resolved(value)
        except RecursionError:  # a condition that depends on itself
            first, self.undecided = OUTSIDE, set()
        names = sorted(self.undecided)
        if not names or len(names) > _MOST_CONDITIONS:
            yield first
            return
        for choice in itertools.product((True, False), repeat=len(names)):
            self.tried = dict(zip(names, choice, strict=True))
            yield self._resolved(value)

    def _resolved(self, value: Value, *, partly: bool = False) -> Value:
        if isinstance(value, str):
            return OUTSIDE if "{{resolve:" in value else value
        if isinstance(value, list):
            listed = [self._resolved(each, partly=partly) for each in value]
            return [each for each in listed if each is not None]
        if not isinstance(value, dict):
            return value
        function = next(iter(value)) if len(value) == 1 else ""
        if _FUNCTION.match(function):
            raw = value[function]
            given = [self._resolved(each) for each in raw] if isinstance(raw, list) else self._resolved(raw)
            return self._returned(function, given, partly=partly)
        looped = any(key.startswith("Fn::") for key in value)
        patterns = {"RoleName"} | ({"Resource"} if value.get("Effect") == "Allow" else set())
        found = {key: self._resolved(each, partly=key in patterns) for key, each in value.items()}
        return OUTSIDE if looped else found

    def _returned(self, function: str, given: Value, *, partly: bool = False) -> Value:
        match function, given:
            case "Ref" | "Fn::GetAtt", str(name) | [str(name), *_]:
                return self.names.get(name.partition(".")[0], OUTSIDE)
            case "Fn::Sub", str(text) | [str(text), {}]:
                own = given[1] if isinstance(given, list) and isinstance(given[1], dict) else {}
                parts = enumerate(_VARIABLE.split(text))
                called = {**self.names, **own}
                pieces = [
                    called.get(each.partition(".")[0], OUTSIDE) if at % 2 else each for at, each in parts
                ]
                return self._returned("Fn::Join", ["", pieces], partly=partly)
            case "Fn::Join", [str(delimiter), [*pieces]] if _known(pieces) or (
                partly and pieces[0] and _known(pieces[:1])
            ):
                return delimiter.join(each if isinstance(each, str) else "*" for each in pieces)
            case "Fn::Split", [str(delimiter), str(text)] if delimiter:
                return list(text.split(delimiter))
            case "Fn::Select", [index, [*listed]] if str(index) in map(str, range(len(listed))):
                return listed[int(str(index))]
            case "Fn::FindInMap", [str(name), str(first), str(second)]:
                return _at(self.section("Mappings"), name, first, second)
            case "Fn::If", [str(name), yes, no] if isinstance(holds := self._holds(name), bool):
                return yes if holds else no
            case "Condition", str(name):
                return self._holds(name)
            case "Fn::Equals", [str(left), str(right)] if "*" not in left + right:
                return left == right
            case "Fn::Not", [bool(holds)]:
                return not holds
            case "Fn::And" | "Fn::Or", [*parts]:
                settles = function == "Fn::Or"
                if settles in parts or all(isinstance(each, bool) for each in parts):
                    return settles if settles in parts else not settles
        hidden = {marker for _, marker in markers(given)}
        return UNKNOWN if hidden == {UNKNOWN} else OUTSIDE

    def _holds(self, name: str) -> bool | Marker:
        found = self._resolved(self.section("Conditions").get(name, OUTSIDE))
        if isinstance(found, bool):
            return found
        self.undecided.add(name)
        return self.tried.get(name, found if isinstance(found, Marker) else OUTSIDE)


def _known(pieces: Sequence[Value]) -> bool:
    return all(isinstance(each, str) for each in pieces)


def _at(value: Value, *keys: str) -> Value:
    for key in keys:
        value = value.get(key, OUTSIDE) if isinstance(value, dict) else OUTSIDE
    return value


def _parameter(about: Value, given: Value) -> Value:
    """A parameter's value: the stack's, or its default; the name of a stored one says nothing about it."""
    described = about if isinstance(about, dict) else {}
    kind, value = str(described.get("Type")), described.get("Default", OUTSIDE) if given is None else given
    if kind.startswith("AWS::SSM::") or isinstance(value, Marker):
        return value if value is UNKNOWN else OUTSIDE
    text = value if isinstance(value, str) else json.dumps(value)
    return [each.strip() for each in text.split(",")] if "List" in kind else text


def template(resource: Resource) -> Template | None:
    """The template that a stack is made from; None where there is none to read."""
    body = resource.props.get("templateBody") if TEMPLATE.match(resource.type) else None
    if isinstance(body, str):
        with suppress(yaml.YAMLError, ValueError, RecursionError):
            is_json = body.lstrip().startswith("{")
            body = from_protocol(json.loads(body) if is_json else yaml.load(body, _Yaml))  # noqa: S506
    if not isinstance(body, dict):
        return None
    found, given, stack = Template(body, {}), resource.props.get("parameters"), resource.props.get("name")
    names = {key: f"<{key}>" for key in found.resources} | dict(_PSEUDO)
    for name, about in found.section("Parameters").items():
        value = given.get(name) if isinstance(given, dict) else given
        names[name] = _parameter(about, value)
    found.names = {**names, "AWS::StackName": stack if isinstance(stack, str) else UNKNOWN}
    return found
