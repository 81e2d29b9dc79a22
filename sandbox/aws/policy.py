"""Evaluates policy documents in AWS's order, for what our grants use. Pure.

An explicit deny wins, then an allow, else the denial is implicit (IAM user guide, "Policy evaluation logic"). An
unknown condition operator or policy variable never widens access: such an allow does not match, such a deny does.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any


class Decision(StrEnum):
    """In the words of `iam:SimulatePrincipalPolicy`."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True)
class Attempt:
    """One action on one resource, by a principal (empty for an identity policy), with its context keys."""

    action: str
    resource: str
    principals: frozenset[str] = frozenset()
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """A policy document with the name it is reported by."""

    name: str
    statements: tuple[Mapping[str, Any], ...]

    @classmethod
    def parse(cls, name: str, document: str | Mapping[str, Any]) -> "Policy":
        """Read a document as AWS stores it; one that is not a policy holds no statement, so it allows nothing."""
        try:
            content = json.loads(document) if isinstance(document, str) else document
            found = content["Statement"]
        except (ValueError, KeyError, TypeError):
            return cls(name, ())
        listed = found if isinstance(found, list) else [found]
        known = [s for s in listed if isinstance(s, Mapping) and s.get("Effect") in ("Allow", "Deny")]
        return cls(name, tuple(known))


def decide(policies: Iterable[Policy], attempt: Attempt) -> Decision:
    """Decide one attempt over all policies of one kind."""
    return decide_with_matches(policies, attempt)[0]


def decide_with_matches(policies: Iterable[Policy], attempt: Attempt) -> tuple[Decision, tuple[str, ...]]:
    """Decide, and name the policies whose statements decided it."""
    allowing: list[str] = []
    denying: list[str] = []
    for policy in policies:
        for statement in policy.statements:
            denies = statement.get("Effect") == "Deny"
            if _covers(statement, attempt) and _conditions_hold(statement, attempt, unknown=denies):
                (denying if denies else allowing).append(policy.name)
    if denying:
        return Decision.EXPLICIT_DENY, tuple(denying)
    if allowing:
        return Decision.ALLOWED, tuple(allowing)
    return Decision.IMPLICIT_DENY, ()


def missing_context(policies: Iterable[Policy], attempt: Attempt) -> tuple[str, ...]:
    """Name the context keys that conditions ask for and the attempt does not carry."""
    given = {key.lower() for key in attempt.context}
    keys = {
        key
        for policy in policies
        for statement in policy.statements
        for operands in (statement.get("Condition") or {}).values()
        for key in operands
    }
    return tuple(sorted(key for key in keys if key.lower() not in given))


def _covers(statement: Mapping[str, Any], attempt: Attempt) -> bool:
    if attempt.principals and not _principal_matches(statement, attempt.principals):
        return False
    if "NotAction" in statement:
        acts = not _any_matches(statement["NotAction"], attempt.action, fold=True)
    else:
        acts = _any_matches(statement.get("Action", ()), attempt.action, fold=True)
    if "NotResource" in statement:
        return acts and not _any_matches(statement["NotResource"], attempt.resource)
    # A trust policy names no resource: it speaks of the role that carries it.
    return acts and _any_matches(statement.get("Resource", "*"), attempt.resource)


def _principal_matches(statement: Mapping[str, Any], principals: frozenset[str]) -> bool:
    named = statement.get("NotPrincipal", statement.get("Principal"))
    values: list[str] = []
    if isinstance(named, str):
        values = [named]
    elif isinstance(named, Mapping):
        values = [value for group in named.values() for value in _listed(group)]
    found = "*" in values or any(value in principals for value in values)
    return not found if "NotPrincipal" in statement else found


def _conditions_hold(statement: Mapping[str, Any], attempt: Attempt, *, unknown: bool) -> bool:
    context = {key.lower(): value for key, value in attempt.context.items()}
    for operator, operands in (statement.get("Condition") or {}).items():
        for key, wanted in operands.items():
            held = _condition(operator, context.get(key.lower()), _listed(wanted))
            if not (unknown if held is None else held):
                return False
    return True


def _condition(operator: str, actual: str | None, wanted: list[str]) -> bool | None:
    """Whether one condition holds; None for an operator that this page does not know."""
    base = operator.removesuffix("IfExists")
    if base == "Null":
        return any((actual is None) == (value.lower() == "true") for value in wanted)
    negated = "Not" in base
    plain = base.replace("Not", "")
    if plain not in {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "Bool"}:
        return None
    if actual is None:
        return negated or operator.endswith("IfExists")
    if plain in {"StringLike", "ArnLike", "ArnEquals"}:
        found = _any_matches(wanted, actual)
    elif plain == "StringEquals":
        found = actual in wanted
    else:
        found = actual.lower() in {value.lower() for value in wanted}
    return found != negated


def _any_matches(patterns: Any, value: str, *, fold: bool = False) -> bool:
    return any(_pattern(pattern, fold).fullmatch(value) is not None for pattern in _listed(patterns))


@lru_cache(maxsize=4096)
def _pattern(text: str, fold: bool) -> re.Pattern[str]:  # noqa: FBT001 - part of the cache's key
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if fold else 0))


def _listed(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]
