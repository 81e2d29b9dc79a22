"""Records of rules and findings: levels, severities, and values that could not be evaluated; no property values."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from policy.values import Marker

if TYPE_CHECKING:
    from policy.report import Report
    from policy.resources import Resource
    from policy.run import Run


class Level(enum.StrEnum):
    """Whether a finding stops a deployment."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


@dataclass(frozen=True)
class Finding:
    """One thing that may not be. `subject` is the name a manifest would know it by (user, role, secret, family)."""

    rule: str
    level: Level
    severity: str
    urn: str
    type: str
    name: str
    subject: str
    message: str
    remediation: str
    source: str


@dataclass(frozen=True)
class NotEvaluated:
    """A rule could not judge a property, because it is unknown or secret.

    `after_creation` means that the rule expects this: the value does not exist before the resource does.
    """

    rule: str
    urn: str
    type: str
    name: str
    path: str
    because: Marker
    after_creation: bool

    def __str__(self) -> str:
        return f"{self.rule} not evaluated on {self.name}: {self.path} is {self.because.value}"


@dataclass(frozen=True)
class Outcome:
    """Everything that was said about one resource or one stack."""

    findings: tuple[Finding, ...] = ()
    not_evaluated: tuple[NotEvaluated, ...] = ()


ResourceCheck: TypeAlias = "Callable[[Resource, Run, Report], None]"
StackCheck: TypeAlias = "Callable[[Sequence[Resource], Run, Report], None]"


@dataclass(frozen=True)
class Rule:
    """A rule with everything that `atlas-access explain` shows.

    `refuses` says one by one what the rule finds. `types` are the type tokens that `check` is called for, all types
    where empty. `check` sees one resource's inputs when it is registered and blocks it; `check_stack` sees all outputs.
    `advises` marks rules that also have findings which do not stop a deployment. `after_creation` names the properties
    whose value may legitimately be unknown in a preview. `anywhere` marks rules for stacks of no environment too.
    """

    name: str
    description: str
    why: str
    source: str
    severity: str
    frameworks: tuple[str, ...]
    remediation: str
    offending: str
    compliant: str
    refuses: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    check: ResourceCheck | None = None
    check_stack: StackCheck | None = None
    advises: bool = False
    after_creation: tuple[str, ...] = ()
    anywhere: bool = False

    @property
    def level(self) -> str:
        """Whether its findings stop a deployment."""
        return "mandatory, advisory in part" if self.advises else "mandatory"


@cache
def _all_documentation() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("rules.json").read_text("utf-8"))
    return found


def documentation(name: str) -> dict[str, Any]:
    """What `rules.json` says about a rule or another finding of the pack."""
    return dict(_all_documentation()[name])


def documented(name: str, *types: str, **code: Any) -> Rule:
    """A rule for these types, or for all, with its documentation, which is data: `rules.json`."""
    given = documentation(name)
    example: dict[str, Any] = {key: "\n".join(given.pop(key)) for key in ("offending", "compliant")}
    lists = {key: tuple(item) for key, item in given.items() if isinstance(item, list)}
    return Rule(name=name, types=types, **{**given, **lists}, **example, **code)
