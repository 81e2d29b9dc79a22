"""What resources of another package and templates declare, as the types that rules know; other types are left.

A template's resources are judged as its text decides them, and searched for names of ours as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from policy import resources as types
from policy.reader import Reader
from policy.resources import Resource
from policy.template import TEMPLATE, template
from policy.values import UNKNOWN, Marker, Value

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
    found: list[tuple[Resource, str, Value]] = [(resource, resource.type, dict(resource.props))]
    if resource.type in _ANY_TYPE:
        token, state = _ANY_TYPE[resource.type]
        found = [(resource, str(resource.props.get(token)), Reader(resource.props).document(state))]
    read = resource.read(template)
    for about, token, props in _declared(resource):
        found += [(about, token, each) for each in read.variants(props)] if read is not None else []
    judged = [(about, part) for about, token, props in found for part in _judged(about, token, props)]
    return ((resource, resource), *judged)


def pieces(resource: Resource) -> tuple[tuple[Resource, Resource], ...]:
    """What a resource declares, each once: what a template says besides its resources, then each as it is written."""
    (_, whole), *declared = resource.read(parts)
    if not TEMPLATE.match(resource.type):
        return tuple(declared) or ((resource, whole),)
    read = resource.read(template)
    if declared and read is not None:
        rest = {key: item for key, item in read.body.items() if key != "Resources"}
        whole = replace(resource, props={**resource.props, "templateBody": rest}, _views={})
    written = [(each[0], part) for each in _declared(resource) for part in _judged(*each)]
    return ((resource, whole), *declared, *written)


def _declared(resource: Resource) -> Iterator[tuple[Resource, str, Value]]:
    """Each resource of a template: how findings name it, its type, and its properties as they are written."""
    read = resource.read(template)
    for key, each in read.resources.items() if read is not None else ():
        about = replace(resource, name=f"{resource.name}/{key}", _views={})
        if isinstance(each, dict):
            yield about, str(each.get("Type")), each.get("Properties") or {}


def _judged(about: Resource, token: str, props: Value) -> Iterator[Resource]:
    """A resource as the rules' type, or by its own type in a template; a function of SAM makes a role besides."""
    match = _TOKEN.fullmatch(token)
    kind = f"{match[1]}:{match[2]}".lower() if match else ""
    unseen = props if isinstance(props, Marker) else UNKNOWN
    props = props if isinstance(props, dict) else {"policyDocument": unseen, "policies": unseen}
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
