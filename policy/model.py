"""Records of rules and findings: levels, severities, and values that could not be evaluated; no property values."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

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
C = TypeVar("C", bound=Callable[..., None])
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


def rule(name: str, *types: str, whole_stack: bool = False) -> Callable[[C], C]:
    """Join a check with its rule: of each resource of these types, of all where none is named, or of a whole stack."""

    def joined(check: C) -> C:
        part = {"check_stack": check} if whole_stack else {"check": check, "types": types}
        check.__dict__["rule"] = (name, part)
        return check

    return joined


def rules_of(*modules: ModuleType) -> tuple[Rule, ...]:
    """The rules whose checks these modules hold, with their documentation, in the order of `rules.json`."""
    code: dict[str, dict[str, Any]] = {}
    for check in (each for module in modules for each in vars(module).values() if isfunction(each)):
        name, part = check.__dict__.get("rule", ("", {}))
        code.setdefault(name, {}).update(part)
    return tuple(_documented(name, code[name]) for name in _all_documentation() if name in code)


def _documented(name: str, code: Mapping[str, Any]) -> Rule:
    given = documentation(name)
    example: dict[str, Any] = {key: "\n".join(given.pop(key)) for key in ("offending", "compliant")}
    lists = {key: tuple(item) for key, item in given.items() if isinstance(item, list)}
    return Rule(name=name, **{**given, **lists}, **example, **code)
