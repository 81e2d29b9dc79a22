"""The rules as a reader meets them: why each stands, where it was decided, and an example of both sides.

Text only, for `atlas-access explain` and for the documentation. It must never judge a resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from policy.model import Rule
from policy.rules import RULES

_PARTS = ("-stack", "-advisory")


@dataclass(frozen=True)
class Entry:
    """What `explain` shows of a rule. `policies` are the names under which an engine reports it."""

    name: str
    description: str
    why: str
    source: str
    severity: str
    level: str
    frameworks: tuple[str, ...]
    remediation: str
    offending: str
    compliant: str
    policies: tuple[str, ...]
    known_after_creation: tuple[str, ...]


def _entry(rule: Rule) -> Entry:
    names = [rule.name] if rule.check is not None else []
    if rule.advises:
        names.append(f"{rule.name}-advisory")
    if rule.check_stack is not None:
        names.append(f"{rule.name}-stack")
    return Entry(
        name=rule.name,
        description=rule.description,
        why=rule.why,
        source=rule.source,
        severity=rule.severity.value,
        level="mandatory, advisory in part" if rule.advises else "mandatory",
        frameworks=tuple(framework.value for framework in rule.frameworks),
        remediation=rule.remediation,
        offending=rule.offending,
        compliant=rule.compliant,
        policies=tuple(names),
        known_after_creation=rule.after_creation,
    )


CATALOGUE: Final[Mapping[str, Entry]] = MappingProxyType({rule.name: _entry(rule) for rule in RULES})
"""Every rule by its name, in the order in which they run."""


def explain(name: str) -> Entry | None:
    """The entry of a rule, also by the name under which an engine reports a part of it; None for no rule."""
    for suffix in _PARTS:
        if name not in CATALOGUE:
            name = name.removesuffix(suffix)
    return CATALOGUE.get(name)
