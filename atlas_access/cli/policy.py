"""`atlas-access policy`: the policy pack's judgement of what was deployed, from an exported state."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.base import Format, Phase
from atlas_access.cli import inputs
from atlas_access.cli.errors import UNKNOWN, WRONG, CommandFailed, presented_as

if TYPE_CHECKING:
    from atlas_access.base import Finding, Report
    from atlas_access.manifest import Manifest
    from policy.analyze_state import StateReport
    from policy.model import Finding as Judged, NotEvaluated, Rule as Entry

STDIN = "-"


def policy(
    stack: inputs.Stack,
    *,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="What `pulumi stack export` wrote, or - for its output; else the sandbox's."
        ),
    ] = None,
    output: inputs.Output = Format.TEXT,
    phase: Annotated[
        Phase | None, typer.Option(help="How far the stack is, instead of what it says.")
    ] = None,
    manifest: Annotated[
        Path, typer.Option(help="The manifest that findings are traced to.")
    ] = inputs.MANIFEST,
    directory: inputs.Directory = inputs.HERE,
) -> int:
    """Judge STACK as it was deployed by the policy pack. Exit 0 clean, 1 violated, 3 not judged."""
    from atlas_access.cli.output import show
    from policy.analyze_state import StateInvalid, analyze_state
    from policy.law_file import LawInvalid, load_law

    with presented_as(WRONG, StateInvalid, LawInvalid):
        law = load_law(environment=os.environ)
        if law.environment(stack) is None:
            known = ", ".join(each.name for each in law.environments)
            raise CommandFailed(f'stack "{stack}" is unknown to policy-config.json.', f"Known: {known}.")
        judged = analyze_state(_state(state, stack, directory), law, phase.value if phase else None)
    if judged.stack not in {"", stack}:
        raise CommandFailed(
            f"the state is of stack {judged.stack!r}, not {stack}.",
            f"Export it with: pulumi stack export -s {stack}.",
        )
    if not judged.resources:
        raise CommandFailed(
            f"the state of {stack} holds no resource, so that nothing was judged.",
            f"Export it from the backend that {stack} is deployed with: pulumi stack export -s {stack}.",
            UNKNOWN,
        )
    return show(_report(judged, stack, manifest), output)


def _state(given: str | None, stack: str, directory: Path) -> str:
    if given == STDIN:
        return sys.stdin.read()
    if given is not None:
        return inputs.read_text(Path(given), f"Write one with: pulumi stack export -s {stack} --file FILE.")
    from atlas_access.cli.sandbox import deployed_state

    return deployed_state(directory, stack)


def _report(judged: StateReport, stack: str, manifest: Path) -> Report:
    """The pack's judgement with the decision behind each rule and its place in the manifest."""
    from atlas_access.base import Rule
    from atlas_access.review import policy_report
    from policy.catalogue import CATALOGUE

    declared = inputs.read_manifest(manifest) if manifest != inputs.MANIFEST or manifest.is_file() else None
    findings = [_finding(each, declared, manifest) for each in judged.findings]
    unobserved = [
        _unobserved(each, CATALOGUE[each.rule]) for each in judged.not_evaluated if not each.after_creation
    ]
    later = [str(each) for each in judged.not_evaluated if each.after_creation]
    rules = tuple(
        Rule(
            name=each.name,
            description=each.description,
            why=each.why,
            help=f"{each.remediation} ({each.source}; atlas-access explain {each.name})",
            severity=each.severity,
            tags=(each.source, *each.frameworks),
        )
        for each in CATALOGUE.values()
    )
    where = f"{stack} {judged.phase}".strip()
    return policy_report(where, judged.resources, [*findings, *unobserved], later, rules, str(manifest))


def _finding(judged: Judged, declared: Manifest | None, manifest: Path) -> Finding:
    from atlas_access.base import Finding, Location, Status
    from atlas_access.review import line_of
    from policy.model import Level

    line = line_of(declared, judged.type, judged.subject, judged.message) if declared else 0
    return Finding(
        status=Status.BAD if judged.level is Level.MANDATORY else Status.GOOD,
        subject=judged.name,
        message=judged.message,
        remedy=judged.remediation,
        location=Location(str(manifest), line) if line else None,
        code=judged.rule,
        details=(("Severity", judged.severity), ("Source", judged.source), ("URN", judged.urn)),
    )


def _unobserved(item: NotEvaluated, rule: Entry) -> Finding:
    from atlas_access.base import Finding, Status

    details = (("Severity", rule.severity), ("Source", rule.source), ("URN", item.urn))
    return Finding(Status.UNKNOWN, item.name, str(item), code=item.rule, details=details)
