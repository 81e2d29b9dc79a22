"""The rules' documentation, for `atlas-access explain` and the docs: reason, source, and an example of both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from policy.model import Rule, documentation
from policy.rules import RULES

_PARTS = ("-stack", "-advisory")


CATALOGUE: Final[Mapping[str, Rule]] = MappingProxyType({rule.name: rule for rule in RULES})
"""Every rule by its name, in the order in which they run."""


@dataclass(frozen=True)
class Telling:
    """A finding of the pack besides its rules: values unknown to every rule. `expected` names rules and properties."""

    name: str
    description: str
    why: str
    level: str
    remediation: str
    expected: tuple[str, ...] = ()


def _telling(name: str, *expected: str) -> Telling:
    return Telling(name, **documentation(name), expected=expected)


NOT_EVALUATED: Final = _telling("not-evaluated")
KNOWN_AFTER_CREATION: Final = _telling(
    "known-after-creation",
    *(f"{rule.name}: {', '.join(rule.after_creation)}" for rule in RULES if rule.after_creation),
)
_TELLINGS: Final = {each.name: each for each in (NOT_EVALUATED, KNOWN_AFTER_CREATION)}


def explain_telling(name: str) -> Telling | None:
    """Return the pack's additional finding of this name, or None."""
    return _TELLINGS.get(name.removesuffix("-stack"))


def explain(name: str) -> Rule | None:
    """The entry of a rule, also by the name under which an engine reports a part of it; None for no rule."""
    for suffix in _PARTS:
        if name not in CATALOGUE:
            name = name.removesuffix(suffix)
    return CATALOGUE.get(name)
