"""What resources of another package and templates declare, as the types that rules know; other types are left.

Intrinsic functions of a template are resolved as far as its text says; what a parameter, a condition or an import
decides is unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from policy import resources as types
from policy.reader import Reader
from policy.resources import Resource
from policy.values import UNKNOWN, Value, from_protocol

TEMPLATE: Final = re.compile(
    r"aws(?:-native)?:(?:cloudformation[:/]stack(?:Set)?|serverless(?::application|repository/.*))(?:\W|$)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?:aws-native:|AWS::)(\w+)::?(\w+)")
_ANY_TYPE: Final = {
    "aws:cloudcontrol/resource:Resource": ("typeName", "desiredState"),
    "aws-native:index:ExtensionResource": ("type", "properties"),
}
"""Resources whose type is a property: its name, and that of what they declare."""

_SAM: Final = {
    "AWSSecretsManagerGetSecretValuePolicy": ("secretsmanager:GetSecretValue", "SecretArn", ""),
    "KMSDecryptPolicy": ("kms:Decrypt", "KeyId", "arn:aws:kms:*:*:key/"),
}
"""What SAM's policy templates that could reach for ours allow: the action, the parameter, and how its ARN begins."""

_VARIABLE = re.compile(r"\$\{([^}!][^}]*)\}")
_KNOWN: Final[Mapping[str, Value]] = {
    "AWS::AccountId": "*",
    "AWS::Region": "*",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}
_TYPES: Final = {
    **dict.fromkeys(("iam:role", "iam:user", "iam:group", "sso:permissionset"), types.ROLE),
    **dict.fromkeys(("iam:rolepolicy", "iam:userpolicy", "iam:grouppolicy", "iam:policy"), types.ROLE_POLICY),
    "iam:managedpolicy": types.MANAGED_POLICY,
    "secretsmanager:secret": types.SECRET,
    "secretsmanager:resourcepolicy": types.SECRET_POLICY,
    "secretsmanager:rotationschedule": types.SECRET_ROTATION,
    "kms:alias": types.KEY_ALIAS,
    "kms:replicakey": types.REPLICA_KEY,
}
_NAMES: Final = {
    **dict.fromkeys(("policyDocument", "resourcePolicy", "keyPolicy"), "policy"),
    **dict.fromkeys(("managedPolicyName", "aliasName"), "name"),
    "assumeRolePolicyDocument": "assumeRolePolicy",
    "policies": "inlinePolicies",
    "managedPolicies": "managedPolicyArns",
    "replicaRegions": "replicas",
}
_OWN_NAMES: Final = {"iam:role": {"roleName": "name"}, "sso:permissionset": {"name": "permissionSetName"}}


def parts(resource: Resource) -> tuple[tuple[Resource, Resource], ...]:
    """Pairs of what findings name and what rules judge: the resource itself, then what else it declares."""
    declared = template(resource) if TEMPLATE.match(resource.type) else {}
    stack = resource.props.get("name")
    known = {**{key: f"<{key}>" for key in declared}, **_KNOWN}
    known["AWS::StackName"] = stack if isinstance(stack, str) else UNKNOWN
    found: list[tuple[Resource, str, Value]] = [(resource, resource.type, dict(resource.props))]
    if resource.type in _ANY_TYPE:
        token, state = _ANY_TYPE[resource.type]
        found = [(resource, str(resource.props.get(token)), Reader(resource.props).document(state))]
    for key, each in declared.items():
        about = replace(resource, name=f"{resource.name}/{key}", _views={})
        if isinstance(each, dict):
            found.append((about, str(each.get("Type")), _resolved(each.get("Properties") or {}, known)))
    judged = [(about, part) for about, token, props in found for part in _judged(about, token, props)]
    return ((resource, resource), *judged)


def pieces(resource: Resource) -> tuple[tuple[Resource, Resource], ...]:
    """What a resource declares, each once: what a template says besides its resources, then each of them."""
    (_, whole), *declared = resource.read(parts)
    if not TEMPLATE.match(resource.type):
        return tuple(declared) or ((resource, whole),)
    body = resource.read(_body)
    if declared and isinstance(body, dict):
        rest = {key: item for key, item in body.items() if key != "Resources"}
        whole = replace(resource, props={**resource.props, "templateBody": rest}, _views={})
    return ((resource, whole), *declared)


class _Template(yaml.SafeLoader):  # type: ignore[misc]
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
        return {name if name == "Ref" else f"Fn::{name}": given}


_Template.add_multi_constructor("!", _Template.function)


def _body(resource: Resource) -> Value:
    body = resource.props.get("templateBody")
    if isinstance(body, str):
        with suppress(yaml.YAMLError, ValueError, RecursionError):
            is_json = body.lstrip().startswith("{")
            body = from_protocol(json.loads(body) if is_json else yaml.load(body, _Template))  # noqa: S506
    return body


def template(resource: Resource) -> dict[str, Value]:
    """The resources of the template that a stack is made from; empty where they cannot be read."""
    body = resource.read(_body)
    listed = body.get("Resources") if isinstance(body, dict) else None
    plain = isinstance(listed, dict) and not any(str(key).startswith("Fn::") for key in listed)
    return listed if isinstance(listed, dict) and plain else {}


def _judged(about: Resource, token: str, props: Value) -> Iterator[Resource]:
    """A resource as the rules' type, or by its own type in a template; a function of SAM makes a role besides."""
    match = _TOKEN.fullmatch(token)
    kind = f"{match[1]}:{match[2]}".lower() if match else ""
    unseen: dict[str, Value] = {"policyDocument": UNKNOWN, "policies": UNKNOWN}
    props = props if isinstance(props, dict) else unseen
    given = _spelled(props, {**_NAMES, **_OWN_NAMES.get(kind, {})})
    if kind in _TYPES:
        if kind == "sso:permissionset" and given.get("inlinePolicy") is not None:
            given["inlinePolicies"] = [{"policy": given["inlinePolicy"]}]
        yield replace(about, type=_TYPES[kind], props=given, _views={})
    elif token != about.type:
        if kind.startswith("serverless:") and given.pop("inlinePolicies", None) is not None:
            yield replace(about, type=types.ROLE, props=_of_sam(props["Policies"]), _views={})
        native = f"aws-native:{match[1].lower()}:{match[2]}" if match else token
        yield replace(about, type=native, props=given, _views={})


def _of_sam(policies: Value) -> dict[str, Value]:
    """The role of a function: its policies by name, by document and by SAM's own templates."""
    inline: list[Value] = []
    attached: list[Value] = []
    for each in policies if isinstance(policies, list) else [policies]:
        if isinstance(each, dict):
            name, given = next(iter(each.items()), ("", None))
            if name in _SAM and isinstance(given, dict):
                action, parameter, start = _SAM[name]
                on = given.get(parameter)
                on = f"{start}{on}" if isinstance(on, str) else on
                each = {"Statement": {"Effect": "Allow", "Action": action, "Resource": on}}
            inline += [{"policy": each}] if "Statement" in each else []
        else:
            named = isinstance(each, str) and ":" not in each
            attached.append(f"arn:aws:iam::aws:policy/{each}" if named else each)
    return {"inlinePolicies": inline, "managedPolicyArns": attached}


def _spelled(props: Mapping[str, Value], names: Mapping[str, str]) -> dict[str, Value]:
    """The properties by the rules' names, in lists of objects too; a policy document keeps its own."""
    found: dict[str, Value] = {}
    for key, value in props.items():
        listed = value if isinstance(value, list) else ()
        name = key[:1].lower() + key[1:]
        inner: list[Value] = [_spelled(each, _NAMES) if isinstance(each, dict) else each for each in listed]
        found[names.get(name, name)] = inner if isinstance(value, list) else value
    return found


def _resolved(value: Value, known: Mapping[str, Value]) -> Value:
    if isinstance(value, list):
        return [_resolved(each, known) for each in value]
    if not isinstance(value, dict):
        return value
    given = {key: _resolved(each, known) for key, each in value.items()}
    function = next(iter(given)) if len(given) == 1 else ""
    return _returned(function, given[function], known) if re.match(r"Ref$|Fn::", function) else given


def _returned(function: str, given: Value, known: Mapping[str, Value]) -> Value:
    """What an intrinsic function returns, where the template alone says it."""
    if function in ("Ref", "Fn::GetAtt"):
        name = given[0] if isinstance(given, list) and given else given
        return known.get(str(name).partition(".")[0], UNKNOWN)
    if function == "Fn::Sub" and isinstance(given, str):
        split = enumerate(_VARIABLE.split(given))
        given = ["", [known.get(each.partition(".")[0], UNKNOWN) if at % 2 else each for at, each in split]]
    elif function != "Fn::Join":
        return UNKNOWN
    delimiter, pieces = given if isinstance(given, list) and len(given) == 2 else ("", UNKNOWN)
    texts = [each for each in pieces if isinstance(each, str)] if isinstance(pieces, list) else []
    return str(delimiter).join(texts) if isinstance(pieces, list) and len(texts) == len(pieces) else UNKNOWN
