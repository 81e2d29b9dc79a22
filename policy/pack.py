"""The rules as Pulumi's policy SDK wants them: the only module of the pack that knows the SDK.

A rule becomes a mandatory policy of its name; one that judges the whole stack too becomes `NAME-stack` besides; one
that also has findings which stop nothing becomes `NAME-advisory` besides. What could not be evaluated is reported by
the advisory policies `not-evaluated` and, where a rule expects it before creation, `known-after-creation` (with
`-stack` for a whole stack), because the SDK gives one level to each policy.
An unknown value raises nothing: the SDK would report a mandatory violation as advisory.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from policy.catalogue import KNOWN_AFTER_CREATION, NOT_EVALUATED, Telling
from policy.evaluate import Evaluator
from policy.law import Law
from policy.model import Level, NotEvaluated, Outcome, Rule
from policy.resources import STACK, Resource
from policy.rules import RULES
from policy.run import Phase, Run, carried_phase, parse_phase
from policy.values import UNKNOWN, Value, from_protocol

PACK_NAME: Final = "atlas-access"
PROJECT: Final = "atlas-access"


def value_of(proxy: Any) -> Value:
    """A plain value from the SDK's proxy, with `UNKNOWN` where reading it would raise."""
    if isinstance(proxy, Mapping):
        return _properties(proxy)
    if isinstance(proxy, str) or not isinstance(proxy, Sequence):
        return from_protocol(proxy)
    return [_item(proxy, index) for index in range(len(proxy))]


def _item(proxy: Any, key: Any) -> Value:
    try:
        return value_of(proxy[key])
    except UnknownValueError:
        return UNKNOWN


def _properties(proxy: Mapping[str, Any]) -> dict[str, Value]:
    return {str(key): _item(proxy, key) for key in proxy}


def resource_of(args: ResourceValidationArgs | PolicyResource) -> Resource:
    """A resource that is being registered."""
    return Resource(
        urn=args.urn,
        type=args.resource_type,
        name=args.name,
        props=_properties(args.props),
        protect=bool(args.opts.protect),
        ignore_changes=tuple(args.opts.ignore_changes),
        delete_before_replace=bool(args.opts.delete_before_replace),
        parent=args.opts.parent or "",
    )


def resource_in_stack(entry: PolicyResource) -> Resource:
    """A resource of a finished stack, with its dependencies."""
    related = [*entry.dependencies, *(d for deps in entry.property_dependencies.values() for d in deps)]
    return replace(
        resource_of(entry),
        dependencies=tuple(dict.fromkeys(dependency.urn for dependency in related)),
        depends_by_property={
            name: tuple(each.urn for each in listed) for name, listed in entry.property_dependencies.items()
        },
        parent=entry.parent.urn if entry.parent is not None else "",
    )


class Session:
    """What the policies of one pack share: one evaluation a resource, however many policies ask for their part.

    The SDK calls every policy of a request in order on one thread, so the last outcome is kept per thread until a
    policy asks a second time or about another resource.
    """

    def __init__(self, law: Law, rules: Sequence[Rule] = RULES) -> None:
        self._law = law
        self._rules = rules
        self._evaluators: dict[str, Evaluator] = {}
        self._lock = threading.Lock()
        self._last = threading.local()

    def resource_outcome(self, policy: str, args: ResourceValidationArgs) -> Outcome:
        """The outcome for the resource that `policy` is being asked about."""
        return self._shared(policy, args.urn, lambda: self._judge(resource_of(args)))

    def stack_outcome(self, policy: str, args: StackValidationArgs) -> Outcome:
        """The outcome for the stack that `policy` is being asked about."""
        return self._shared(policy, "stack", lambda: self._judge_stack(args))

    def _shared(self, policy: str, subject: str, judge: Callable[[], Outcome]) -> Outcome:
        last = self._last
        if getattr(last, "subject", None) != subject or policy in last.asked:
            last.outcome, last.subject, last.asked = judge(), subject, set()
        last.asked.add(policy)
        outcome: Outcome = last.outcome
        return outcome

    def _judge(self, resource: Resource) -> Outcome:
        with self._lock:
            evaluator = self._evaluator(resource.stack, fresh=resource.type == STACK, carrier=resource)
            return evaluator.resource(resource)

    def _judge_stack(self, args: StackValidationArgs) -> Outcome:
        resources = [resource_in_stack(entry) for entry in args.resources]
        stack = resources[0].stack if resources else pulumi.get_stack()
        with self._lock:
            return self._evaluator(stack, fresh=False, carrier=None).stack(resources)

    def _evaluator(self, stack: str, *, fresh: bool, carrier: Resource | None) -> Evaluator:
        """The run of a stack; its root resource, which is registered first, begins a new one."""
        if fresh or stack not in self._evaluators:
            phase, problem = parse_phase(_setting("phase") or Phase.PROVISION)
            removing = frozenset(re.findall(r'"([^"]+)"', _setting("removing")))
            unprotecting, rotating = _setting("unprotect") == "true", _setting("rotating")
            run = Run(self._law, stack, phase, problem, unprotecting, removing, rotating)
            self._evaluators[stack] = Evaluator(run, self._rules)
        evaluator = self._evaluators[stack]
        if carrier is not None and not _setting("phase") and (carried := carried_phase(carrier)):
            evaluator.run.phase, evaluator.run.phase_problem = parse_phase(carried)
        return evaluator


def _setting(name: str) -> str:
    """A setting of the stack, which engines hand to a pack with the rest of its configuration; "" where absent."""
    return str(pulumi.Config(PROJECT).get(name) or "")


def policies(law: Law, rules: Sequence[Rule] = RULES) -> list[Policy]:
    """All policies of the pack."""
    session = Session(law, rules)
    excepted = {each.rule for each in law.exceptions}
    kinds = [
        *((rule, Level.MANDATORY, False) for rule in rules if rule.check is not None),
        *((rule, Level.MANDATORY, True) for rule in rules if rule.check_stack is not None),
        *((rule, Level.ADVISORY, False) for rule in rules if rule.advises or rule.name in excepted),
        *((rule, Level.ADVISORY, True) for rule in rules if rule.check_stack and rule.name in excepted),
    ]
    telling = [(NOT_EVALUATED, False), (KNOWN_AFTER_CREATION, True)]
    return [
        *(_policy(session, rule, level, stack=stack) for rule, level, stack in kinds),
        *(_telling(session, each, expected=late, stack=on) for each, late in telling for on in (False, True)),
    ]


def _policy(session: Session, rule: Rule, level: Level, *, stack: bool) -> Policy:
    def told(outcome: Outcome) -> Iterator[tuple[str, str]]:
        for each in outcome.findings:
            if each.rule == rule.name and each.level is level:
                yield f"{each.message}\nRemedy: {each.remediation} ({each.source})", each.urn

    return _built(
        session,
        rule.name if level is Level.MANDATORY else f"{rule.name}-advisory",
        rule.description,
        level,
        told,
        stack=stack,
        severity=Severity(rule.severity),
        framework=PolicyComplianceFramework(name=rule.frameworks[0], reference=", ".join(rule.frameworks)),
        tags=[rule.source, *rule.frameworks],
        remediation_steps=rule.remediation,
    )


def _telling(session: Session, telling: Telling, *, expected: bool, stack: bool) -> Policy:
    """A policy that names what no rule could see: what rules expect before creation, or what they do not."""

    def told(outcome: Outcome) -> Iterator[tuple[str, str]]:
        """One line per resource and property, naming every rule that could not judge it."""
        grouped: dict[tuple[str, str], list[NotEvaluated]] = {}
        for item in outcome.not_evaluated:
            if item.after_creation is expected:
                grouped.setdefault((item.urn, item.path), []).append(item)
        for (urn, path), items in grouped.items():
            rules = ", ".join(dict.fromkeys(item.rule for item in items))
            yield f"{items[0].name}: {path} is {items[0].because.value}; not evaluated: {rules}", urn

    return _built(session, telling.name, telling.description, Level.ADVISORY, told, stack=stack)


def _built(
    session: Session,
    name: str,
    description: str,
    level: Level,
    told: Callable[[Outcome], Iterator[tuple[str, str]]],
    *,
    stack: bool,
    **metadata: Any,
) -> Policy:
    name = f"{name}-stack" if stack else name
    outcome: Callable[[str, Any], Outcome] = session.stack_outcome if stack else session.resource_outcome

    def validate(args: Any, violation: ReportViolation) -> None:
        for message, urn in told(outcome(name, args)):
            violation(message, urn)

    kind = StackValidationPolicy if stack else ResourceValidationPolicy
    return kind(name, description, validate, EnforcementLevel(level.value), **metadata)
