"""The rules' documentation, for `atlas-access explain` and the docs: reason, source, and an example of both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from policy.law_file import UNKNOWN_SETTING
from policy.model import Rule
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


NOT_EVALUATED: Final = Telling(
    "not-evaluated",
    "Values that rules could not see; an unknown value is reported, never passed over",
    "To Pulumi's SDK an unknown value turns even a mandatory rule into a remark, so the pack names what it missed.",
    f"advisory; with {UNKNOWN_SETTING}=fail, as in CI, a violation of each rule that could not judge the value",
    "Give the property a value that is known in a preview: text or the stack's configuration, no output of a resource.",
)
KNOWN_AFTER_CREATION: Final = Telling(
    "known-after-creation",
    "Values that exist only after creation, as their rules say; they are judged when they do",
    "An ARN, a version or a generated password is unknown until its resource is there; the update judges it then. In "
    "an exported state secrets stay encrypted: the update that stored them has judged them.",
    "advisory; nothing fails by it",
    "None is needed: the same rule judges the value when the resource that takes it is registered in the update.",
    tuple(f"{rule.name}: {', '.join(rule.after_creation)}" for rule in RULES if rule.after_creation),
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
