"""Runs the rules over one resource as it is registered, and over a whole stack.

A rule that raises has failed; its exception's text is dropped because it may quote a property. Also decides what an
unexpected unknown value means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from policy.model import Finding, Level, Outcome, Rule
from policy.parts import parts
from policy.report import Report
from policy.resources import SERVICE_ACCESS, STACK, Resource
from policy.rules import RULES
from policy.run import Run
from policy.values import OUTSIDE, SECRET, UNKNOWN, Marker

_NOTHING = Outcome()
_REMEDIES: Mapping[Marker, str] = {
    UNKNOWN: "Give the property a value that is known before creation.",
    OUTSIDE: "Write it into the program: a value or a default for a template's parameter, a template without macros "
    "as templateBody, a name instead of an import, variables instead of a file.",
}
"""What to change where a value cannot be judged."""


class Evaluator:
    """Judges the resources of one run in the order of their registration."""

    def __init__(self, run: Run, rules: Sequence[Rule] = RULES) -> None:
        self.run = run
        self._rules = tuple(rules)
        self._for_type = lru_cache(maxsize=None)(self._select)

    def resource(self, resource: Resource) -> Outcome:
        """Judge one resource's inputs and remember it for those that follow."""
        try:
            pairs, outcomes = self.run.history.made_of(resource).read(parts), []
        except Exception as error:  # noqa: BLE001 - what a resource declares cannot be read
            pairs, outcomes = ((resource, resource),), [_failed(self._rules[0], resource, error)]
        outcomes += [
            self._guard(rule, about, partial(rule.check, part, self.run))
            for about, part in pairs
            for rule in self._for_type(part.type)
            if rule.check is not None and (rule.types or part is pairs[0][1]) and self._applies(rule)
        ]
        try:
            for _, part in pairs:
                self.run.history.record(part)
        except Exception as error:  # noqa: BLE001 - a resource that cannot be remembered must not pass
            outcomes.append(_failed(self._rules[0], resource, error))
        return self._excused(_merged(outcomes, fail_unknown=self.run.law.fail_unknown, rules=self._rules))

    def stack(self, resources: Sequence[Resource]) -> Outcome:
        """Judge the outputs of a whole stack."""
        root = next((resource for resource in resources if resource.type == STACK), None)
        about = root or Resource(urn="", type=STACK, name=self.run.stack, props={})
        outcomes = [
            self._guard(rule, about, partial(rule.check_stack, resources, self.run))
            for rule in self._rules
            if rule.check_stack is not None and self._applies(rule)
        ]
        merged = _merged(outcomes, fail_unknown=self.run.law.fail_unknown, rules=self._rules)
        return joined((self._excused(merged), self._stale(about, resources)))

    def _excused(self, outcome: Outcome) -> Outcome:
        """Findings that an exception in force accepts stay visible, as advice that names its decision."""
        if not outcome.findings or not self.run.law.exceptions:
            return outcome
        return replace(outcome, findings=tuple(map(self._excuse, outcome.findings)))

    def _excuse(self, finding: Finding) -> Finding:
        for each in self.run.law.exceptions:
            concerned = (each.resource, each.rule) == (f"{finding.type}::{finding.name}", finding.rule)
            objection = self.run.law.objection_to(each) if concerned else ""
            if objection:
                return replace(finding, message=f"{finding.message} Exception {each.id}: {objection}.")
            if concerned:
                self.run.history.excepted.add(each.id)
                message = f"{finding.message} Accepted by {each.id} ({each.decision})."
                return replace(finding, level=Level.ADVISORY, message=message)
        return finding

    def _stale(self, about: Resource, resources: Sequence[Resource]) -> Outcome:
        """An exception that accepted nothing, once a whole stack of ours was judged."""
        if all(resource.type != SERVICE_ACCESS for resource in resources):
            return _NOTHING
        by_name = {rule.name: rule for rule in self._rules}
        return joined(
            _said(
                by_name.get(each.rule, self._rules[0]),
                about,
                f"exception {each.id} is stale: {each.rule} finds nothing on {each.resource}.",
            )
            for each in self.run.law.exceptions
            if each.id not in self.run.history.excepted
        )

    def _applies(self, rule: Rule) -> bool:
        """A stack of no environment has nothing of its own; what names ours there is judged all the same."""
        return rule.anywhere or self.run.home is not None

    def _select(self, type_token: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self._rules if not rule.types or type_token in rule.types)

    @staticmethod
    def _guard(rule: Rule, resource: Resource, judge: Callable[[Report], None]) -> Outcome:
        report = Report(rule, resource)
        try:
            judge(report)
        except Exception as error:  # noqa: BLE001 - a rule that throws is a failure, not a pass
            return joined((report.outcome(), _failed(rule, resource, error)))
        return report.outcome()


def _said(rule: Rule, resource: Resource, message: str, remedy: str = "") -> Outcome:
    report = Report(rule, resource)
    report.finding(message, remedy)
    return report.outcome()


def _failed(rule: Rule, resource: Resource, error: Exception) -> Outcome:
    message = f"the rule {rule.name} could not judge this ({type(error).__name__}), which is a violation."
    return _said(rule, resource, message)


def joined(outcomes: Iterable[Outcome]) -> Outcome:
    """Everything that was said, each thing once."""
    collected = tuple(outcomes)
    return Outcome(
        tuple(dict.fromkeys(finding for outcome in collected for finding in outcome.findings)),
        tuple(dict.fromkeys(unseen for outcome in collected for unseen in outcome.not_evaluated)),
    )


def _merged(outcomes: Sequence[Outcome], *, fail_unknown: bool, rules: Sequence[Rule]) -> Outcome:
    if not any(outcome.findings or outcome.not_evaluated for outcome in outcomes):
        return _NOTHING
    merged = joined(outcomes)
    if not fail_unknown:
        return merged
    by_name = {rule.name: rule for rule in rules}
    unexpected = [
        _said(
            by_name[item.rule],
            Resource(item.urn, item.type, item.name, {}),
            f"{item.path} is {item.because.value}, so {item.rule} could not be evaluated.",
            _REMEDIES[item.because],
        )
        for item in merged.not_evaluated
        if item.because is not SECRET and not item.after_creation
    ]
    return joined((merged, *unexpected))
