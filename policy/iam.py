"""IAM policy documents, read without trust (grammar: JSON policy elements).

Conditions are not evaluated: a condition narrows, so ignoring it is the strict choice.
"""

from __future__ import annotations

from dataclasses import dataclass

from policy.reader import Problem, Reader
from policy.resources import Resource
from policy.values import Marker, Text


@dataclass(frozen=True)
class Statement:
    """One Allow statement. `inverted` means that it uses NotAction or NotResource."""

    path: str
    actions: tuple[Text, ...]
    resources: tuple[Text, ...]
    inverted: bool


@dataclass(frozen=True)
class PolicyView:
    """A policy document and the role it is attached to. `unseen` is why it cannot be seen, None where it can."""

    role: Text | None
    statements: tuple[Statement, ...]
    unseen: Marker | None
    problems: tuple[Problem, ...]


def policy_view(resource: Resource) -> PolicyView:
    """Read `policy` of a role policy or managed policy."""
    reader = Reader(resource.props)
    role = reader.text("role")
    document = reader.document("policy", required=True)
    statements, unseen = _statements(reader, "policy", document)
    return PolicyView(role, statements, unseen, tuple(reader.problems))


def own_policy_view(resource: Resource) -> PolicyView:
    """Read the policy that a secret carries itself; without one, or with an empty one, it grants nothing."""
    if resource.props.get("policy") in (None, "", "{}"):
        return PolicyView(None, (), None, ())
    return policy_view(resource)


def inline_views(resource: Resource) -> tuple[PolicyView, ...]:
    """Read the `inlinePolicies` of a role."""
    reader = Reader(resource.props)
    inline = reader.objects("inlinePolicies")
    role = reader.text("name")
    if isinstance(inline, Marker):
        return (PolicyView(role, (), inline, ()),)
    views = []
    for entry in inline:
        statements, unseen = _statements(reader, entry.path("policy"), entry.document("policy"))
        views.append(PolicyView(role, statements, unseen, ()))
    if reader.problems:
        views.append(PolicyView(role, (), None, tuple(reader.problems)))
    return tuple(views)


def _statements(reader: Reader, path: str, document: object) -> tuple[tuple[Statement, ...], Marker | None]:
    if isinstance(document, Marker):
        return (), document
    if document is None:
        return (), None
    if not isinstance(document, dict):
        reader.wrong(path, "an IAM policy document")
        return (), None
    listed = document.get("Statement")
    if isinstance(listed, dict):
        document = {**document, "Statement": [listed]}
    inner = Reader(document, path, reader.problems)
    entries = inner.objects("Statement", required=True)
    if isinstance(entries, Marker):
        return (), entries
    read: list[Statement] = []
    for entry in entries:
        if entry.text("Effect", required=True) == "Deny":
            continue
        inverted = entry.texts("NotAction") is not None or entry.texts("NotResource") is not None
        actions, resources = entry.texts("Action"), entry.texts("Resource")
        for part in (actions, resources):
            if isinstance(part, Marker):
                return tuple(read), part
        read.append(
            Statement(
                entry.path("Action"),
                actions if isinstance(actions, tuple) else (),
                resources if isinstance(resources, tuple) else (),
                inverted,
            )
        )
    return tuple(read), None
