"""`atlas-access policy`: the policy pack's judgement of what was deployed, from an exported state."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli.errors import UNKNOWN, WRONG, CommandFailed, presented_as
from atlas_access.cli.inputs import MANIFEST, Phase, read_manifest, read_text

if TYPE_CHECKING:
    from atlas_access.manifest import Manifest
    from atlas_access.review import Finding, PolicyReport
    from policy.analyze_state import StateReport
    from policy.model import Finding as Judged

HERE = Path(".sandbox")
STDIN = "-"


class PolicyFormat(StrEnum):
    """The formats of a judgement."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    MD = "md"


def policy(
    stack: Annotated[str, typer.Argument(help="staging or prod.")],
    *,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="What `pulumi stack export` wrote, or - for its output; else the sandbox's."
        ),
    ] = None,
    output: Annotated[
        PolicyFormat, typer.Option("--format", help="How to show it; every format carries the same facts.")
    ] = PolicyFormat.TEXT,
    phase: Annotated[
        Phase | None, typer.Option(help="How far the stack is, instead of what it says.")
    ] = None,
    manifest: Annotated[Path, typer.Option(help="The manifest that findings are traced to.")] = MANIFEST,
    directory: Annotated[
        Path,
        typer.Option("--dir", envvar="ATLAS_ACCESS_SANDBOX_DIR", help="Where the sandbox keeps its files."),
    ] = HERE,
) -> int:
    """Judge STACK as it was deployed by the policy pack. Exit 0 clean, 1 violated, 3 not judged."""
    from atlas_access.cli.output import write
    from policy.analyze_state import StateInvalid, analyze_state
    from policy.config import ConfigInvalid, load_config

    with presented_as(WRONG, StateInvalid, ConfigInvalid):
        config = load_config(environment=os.environ)
        if config.stack(stack) is None:
            known = ", ".join(facts.name for facts in config.stacks)
            raise CommandFailed(f'stack "{stack}" is unknown to policy-config.json.', f"Known: {known}.")
        judged = analyze_state(_state(state, stack, directory), config, phase.value if phase else None)
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
    report = _report(judged, stack, manifest)
    write(_rendered(report, output, str(manifest)))
    return report.exit_code


def _state(given: str | None, stack: str, directory: Path) -> str:
    if given == STDIN:
        return sys.stdin.read()
    if given is not None:
        return read_text(Path(given), f"Write one with: pulumi stack export -s {stack} --file FILE.")
    from atlas_access.cli.sandbox import deployed_state

    return deployed_state(directory, stack)


def _rendered(report: PolicyReport, output: PolicyFormat, manifest: str) -> str:
    from atlas_access.review import policy as facts, policy_junit, policy_markdown, policy_sarif, policy_text

    match output:
        case PolicyFormat.TEXT:
            return policy_text.render(report)
        case PolicyFormat.JSON:
            return facts.as_json(report)
        case PolicyFormat.SARIF:
            return policy_sarif.render(report, manifest)
        case PolicyFormat.JUNIT:
            return policy_junit.render(report)
        case PolicyFormat.MD:
            return policy_markdown.render(report)


def _report(judged: StateReport, stack: str, manifest: Path) -> PolicyReport:
    """The pack's records as the reports': with the decision behind each rule, and its place in the manifest."""
    from atlas_access.review import Finding, Level, PolicyReport, RuleFacts
    from policy.catalogue import CATALOGUE

    declared = read_manifest(manifest) if manifest != MANIFEST or manifest.is_file() else None
    unseen = tuple(
        Finding(
            rule=item.rule,
            level=Level.UNSEEN,
            resource=item.name,
            message=str(item),
            severity=CATALOGUE[item.rule].severity,
            source=CATALOGUE[item.rule].source,
            urn=item.urn,
            expected=item.after_creation,
        )
        for item in judged.not_evaluated
    )
    rules = tuple(
        RuleFacts(
            name=each.name,
            description=each.description,
            why=each.why,
            source=each.source,
            severity=each.severity,
            level=each.level,
            tags=each.frameworks,
            remediation=each.remediation,
        )
        for each in CATALOGUE.values()
    )
    findings = (*(_finding(each, declared, manifest) for each in judged.findings), *unseen)
    return PolicyReport(stack, judged.phase, judged.resources, findings, rules)


def _finding(judged: Judged, declared: Manifest | None, manifest: Path) -> Finding:
    from atlas_access.review import Finding, Level, line_of
    from policy.model import Level as Enforced

    line = line_of(declared, judged.rule, judged.type, judged.subject, judged.message) if declared else 0
    return Finding(
        rule=judged.rule,
        level=Level.VIOLATION if judged.level is Enforced.MANDATORY else Level.ADVICE,
        resource=judged.name,
        message=judged.message,
        way_out=judged.remediation,
        severity=judged.severity.value,
        source=judged.source,
        urn=judged.urn,
        file=str(manifest) if line else "",
        line=line,
    )
