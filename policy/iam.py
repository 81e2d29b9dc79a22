"""IAM policy documents, read without trust, and what they allow (grammar: JSON policy elements).

An unconditional Deny of the same document is taken into account. Conditions of an Allow are not evaluated: a condition
narrows, so ignoring it is the strict choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from policy.reader import Problem, Reader
from policy.resources import ROLE_POLICY, Resource
from policy.values import Marker, Text


@dataclass(frozen=True)
class Statement:
    """One statement; `not_actions` and `not_resources` say that the lists name what is left out."""

    path: str
    allows: bool
    actions: tuple[Text, ...]
    not_actions: bool
    resources: tuple[Text, ...]
    not_resources: bool
    principals: tuple[Text, ...]
    conditional: bool

    @property
    def hidden(self) -> Marker | None:
        """Why a part of it cannot be seen."""
        parts = (*self.actions, *self.resources, *self.principals)
        return next((part for part in parts if isinstance(part, Marker)), None)

    def covers_action(self, action: str) -> bool:
        """Whether it speaks about an action; letters' case does not count."""
        listed = [each.lower() for each in self.actions if isinstance(each, str)]
        return self.not_actions != any(matches(each, action.lower()) for each in listed)

    def covers_resource(self, arn: str) -> bool:
        """Whether it speaks about a resource; a resource-based policy without resources is about its own."""
        listed = [_anywhere(each) for each in self.resources if isinstance(each, str)]
        return self.not_resources != any(matches(each, arn) or _begins(each, arn) for each in listed)

    def covers(self, action: str, arn: str) -> bool:
        """Whether it speaks about an action on a resource."""
        return self.covers_action(action) and self.covers_resource(arn)


@dataclass(frozen=True)
class PolicyView:
    """A policy document and whom it is attached to. `unseen` is why it cannot be seen, None where it can.

    `roles` are those that it is written into; None is anybody or anything else.
    """

    roles: tuple[Text | None, ...]
    statements: tuple[Statement, ...]
    unseen: Marker | None
    problems: tuple[Problem, ...]

    def mentions(self, actions: Sequence[str]) -> tuple[str, ...]:
        """Those of these actions that any statement allows on something."""
        return tuple(
            action
            for action in actions
            if any(each.allows and each.covers_action(action) for each in self.statements)
        )

    def hidden(self, actions: Sequence[str]) -> Iterator[tuple[str, Marker]]:
        """The statements that may allow one of these actions and have a part that cannot be seen."""
        for each in self.statements:
            covers = set(each.actions) & set(Marker) or any(map(each.covers_action, actions))
            if each.allows and each.hidden is not None and covers:
                yield each.path, each.hidden

    def granted(self, actions: Sequence[str], arn: str) -> Iterator[tuple[str, Statement]]:
        """Those of these actions that it allows on a resource and does not itself deny, each with its statement."""
        denying = [each for each in self.statements if not each.allows and not each.conditional]
        for action in actions:
            found = next((each for each in self.statements if each.allows and each.covers(action, arn)), None)
            if found is not None and not any(each.covers(action, arn) for each in denying):
                yield action, found


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether an IAM pattern (`*`, `?`) covers a text; letters count as they are."""
    return pattern == text or _compiled(pattern).fullmatch(text) is not None


def _anywhere(arn: str) -> str:
    """An ARN's pattern in any partition and region: copies and partitions are reached too."""
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn":
        return ":".join(["arn", "*", parts[2], "*", *parts[4:]])
    return arn


def _begins(pattern: str, arn: str) -> bool:
    """Whether a pattern goes on behind the name of `arn`, into the characters that Secrets Manager appends."""
    fixed, wild, _ = pattern.replace("?", "*").partition("*")
    if fixed == "arn:":
        head, _, tail = pattern.partition(":secret:")
        name, wild, _ = tail.replace("?", "*").partition("*")
        base = arn.partition(":secret:")[2][:-7]
        return bool(wild and base) and name.startswith(f"{base}-") and matches(f"{head}*", arn)
    return False


def _view(reader: Reader, path: str, document: object, *roles: Text | None) -> PolicyView:
    statements, unseen = _statements(reader, path, document)
    return PolicyView(roles, statements, unseen, tuple(reader.problems))


def policy_view(resource: Resource) -> PolicyView:
    """Read the document of a role's, user's or group's policy, a managed one, or a permission set's."""
    reader = Reader(resource.props)
    listed = reader.texts("roles") if resource.type == ROLE_POLICY else None
    others = (None,) if resource.props.get("users") or resource.props.get("groups") else ()
    key = "inlinePolicy" if "inlinePolicy" in resource.props else "policy"
    document = reader.document(key, required=True)
    return _view(reader, key, document, *(listed or (reader.text("role", "roleName"),)), *others)


def own_policy_view(resource: Resource) -> PolicyView:
    """Read the policy that a secret carries itself, its Allow statements alone; an empty one grants nothing."""
    if resource.props.get("policy") in (None, "", "{}"):
        return PolicyView((), (), None, ())
    view = policy_view(resource)
    return replace(view, statements=tuple(each for each in view.statements if each.allows))


def trust_view(resource: Resource) -> PolicyView:
    """Read who may assume a role."""
    reader = Reader(resource.props)
    return _view(reader, "assumeRolePolicy", reader.document("assumeRolePolicy"), reader.text("name"))


def inline_views(resource: Resource) -> tuple[PolicyView, ...]:
    """Read the `inlinePolicies` of a role."""
    reader = Reader(resource.props)
    inline, role = reader.objects("inlinePolicies"), reader.text("name")
    listed = () if isinstance(inline, Marker) else inline
    views = [_view(reader, each.path("policy"), each.document("policy"), role) for each in listed]
    unseen = inline if isinstance(inline, Marker) else None
    return (*views, PolicyView((role,), (), unseen, tuple(reader.problems)))


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
    entries = Reader(document, path, reader.problems).objects("Statement", required=True)
    if isinstance(entries, Marker):
        return (), entries
    read: list[Statement] = []
    for entry in entries:
        effect = entry.text("Effect", required=True)
        lists = {key: entry.texts(key) for key in ("Action", "NotAction", "Resource", "NotResource")}
        if isinstance(effect, Marker):
            return tuple(read), effect
        given = {key: part for key, part in lists.items() if part is not None}
        read.append(
            Statement(
                entry.path("Action"),
                effect != "Deny",
                given.get("NotAction", given.get("Action", ())),
                "NotAction" in given,
                given.get("NotResource", given.get("Resource", ())),
                "NotResource" in given,
                _principals(entry),
                bool(entry.value("Condition")),
            )
        )
    return tuple(read), None


def _principals(entry: Reader) -> tuple[Text, ...]:
    """Whom a resource-based statement names: texts of every kind of principal, `*` for everybody but some."""
    if entry.value("NotPrincipal") is not None:
        return ("*",)
    named = entry.value("Principal")
    found: list[Text] = []
    for part in named.values() if isinstance(named, dict) else [named]:
        found.extend(
            each for each in (part if isinstance(part, list) else [part]) if isinstance(each, str | Marker)
        )
    return tuple(found)
