"""Turns what a rule reports about a resource into findings; takes names and paths, no property values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from policy.model import Finding, Level, NotEvaluated, Outcome, Rule
from policy.resources import Resource
from policy.values import SECRET, UNKNOWN, Marker

if TYPE_CHECKING:
    from typing_extensions import TypeIs

_SUBJECT_PROPERTIES = ("username", "roleName", "family", "name")
_LONGEST_NAME = 160


def printable(text: str) -> str:
    """A name fit for a message: one line, bounded, and never a connection string."""
    if "://" in text:
        return "<a text that looks like an address>"
    flat = re.sub(r"[^\x20-\x7e]+", "?", text)
    return flat if len(flat) <= _LONGEST_NAME else flat[:_LONGEST_NAME] + "…"


def subject(resource: Resource) -> str:
    """The name a manifest would know the resource by; its Pulumi name where no property says it."""
    named = (resource.props.get(key) for key in _SUBJECT_PROPERTIES)
    return next((printable(each) for each in named if isinstance(each, str) and each), resource.name)


class Report:
    """Collects one rule's words. For a stack rule, `on` says which resource the next words are about."""

    def __init__(self, rule: Rule, resource: Resource) -> None:
        self._rule = rule
        self._resource = resource
        self._findings: list[Finding] = []
        self._not_evaluated: list[NotEvaluated] = []

    def on(self, resource: Resource) -> None:
        """Speak about this resource from now on."""
        self._resource = resource

    def finding(self, message: str, way_out: str = "") -> None:
        """The resource breaks the rule, and nothing excuses it; `way_out` replaces the rule's own."""
        self._say(message, Level.MANDATORY, way_out)

    def advice(self, message: str, way_out: str = "") -> None:
        """Worth knowing, accepted by a decision record or not yet too much; `way_out` replaces the rule's own."""
        self._say(message, Level.ADVISORY, way_out)

    def not_evaluated(self, path: str, value: object) -> None:
        """The rule needs the value at this path; where it cannot see it, that is said."""
        if not isinstance(value, Marker):
            return
        top = re.split(r"[.\[]", path, maxsplit=1)[0]
        on = self._resource
        late = value is SECRET or (value is UNKNOWN and top in self._rule.after_creation)
        self._not_evaluated.append(NotEvaluated(self._rule.name, on.urn, on.type, on.name, path, value, late))

    def hides(self, value: object, path: str) -> TypeIs[Marker]:
        """Whether the value at this path cannot be seen, which is said."""
        self.not_evaluated(path, value)
        return isinstance(value, Marker)

    def outcome(self) -> Outcome:
        """All that was said, in order."""
        return Outcome(tuple(self._findings), tuple(self._not_evaluated))

    def _say(self, message: str, level: Level, way_out: str) -> None:
        on, rule = self._resource, self._rule
        about = (on.urn, on.type, on.name, subject(on), f"{on}: {message}")
        remedy = way_out or rule.remediation
        self._findings.append(Finding(rule.name, level, rule.severity, *about, remedy, rule.source))
