"""A deployment in lines of text: progress, the plan, the summary, and what a failure left running.

`--json` carries the same facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from atlas_access.review.deployment import PAST, Deployment, Moment, Operation, Progress, Step
from atlas_access.review.deployment_access import ACCESS, access_lines, change_lines
from atlas_access.review.policy import refusal_lines

_SIGNS = {
    "create": "+",
    "update": "~",
    "replace": "±",
    "delete": "-",
    "import": "=",
    "read": ">",
    "same": " ",
}
_DOING = {
    "create": "creating",
    "update": "updating",
    "replace": "replacing",
    "delete": "deleting",
    "import": "adopting",
}
_HEADLINE = re.compile(r"[A-Z][A-Z, ]+  \S+: ")
"""The form of an answer with a status of its own: `ROLLED BACK  staging: …`."""


def progress_line(progress: Progress) -> str:
    """One line for something that happened; empty for what a person need not see."""
    step = progress.step
    if progress.moment is Moment.SAID:
        return f"  {step.name}: {progress.text}" if step else f"  {progress.text}"
    if step is None or not step.changing or progress.moment in {Moment.BEGUN, Moment.PASSING}:
        return ""
    words = "FAILED" if progress.moment is Moment.FAILED else PAST.get(step.operation, step.operation)
    return f"  {_SIGNS.get(step.operation, '?')} {step.kind:<32} {step.name:<32} {words}{_took(step)}"


def doing(step: Step) -> str:
    """What is under way, for a status line: `creating DatabaseUser app_read`."""
    return f"{_DOING.get(step.operation, step.operation)} {step.kind} {step.name}"


def plan_lines(deployment: Deployment, *, values: bool = True) -> tuple[str, ...]:
    """The plan of a preview: every changing step, what it does to access, and the properties that change.

    `values` shows the properties of what is new, too.
    """
    return tuple(_plan(deployment, values=values))


def summary_line(deployment: Deployment) -> str:
    """`staging  provision  11 created   8.1 s   proofs 4/4 proven (…)`: what the last screen shows of a run."""
    head = f"{deployment.stack:<8} {_what(deployment):<9}"
    detail = str(deployment.swap) if deployment.swap else deployment.proof_line
    line = f"{head} {deployment.counted:<32} {deployment.seconds:5.1f} s  {detail}".rstrip()
    return f"FAILED  {line}" if deployment.failure else line


def failure_lines(deployment: Deployment) -> tuple[str, ...]:
    """What failed, what keeps running, and the remedy."""
    return tuple(_failure(deployment))


def _plan(deployment: Deployment, *, values: bool) -> Iterator[str]:
    for step in deployment.steps:
        if not step.changing:
            continue
        yield f"  {_SIGNS.get(step.operation, '?')} {step.operation:<8} {step.kind:<32} {step.name}"
        said = access_lines(step, deployment.manifest, deployment.stack)
        yield from (f"      {line}" for line in said)
        if values or step.operation not in {"create", "import"}:
            left = [each for each in step.changes if not (said and each.path in ACCESS)]
            yield from (f"      {line}" for each in left for line in change_lines(each))


def _took(step: Step) -> str:
    return "" if step.seconds is None else f"  {step.seconds:.1f} s"


def _failure(deployment: Deployment) -> Iterator[str]:
    refused = [] if deployment.refused else [each for each in deployment.proofs if each.verdict != "proven"]
    for proof in refused:
        first, *rest = proof.findings or ("no reason was recorded",)
        yield f"{proof.verdict.upper()}  {proof.user} on the {proof.cluster} cluster ({proof.name}): {first}"
        yield from (f"  {line}" for line in rest)
    yield from refusal_lines(f"{deployment.stack} {_what(deployment)}", deployment.policies)
    first, *rest = deployment.failure.splitlines() or [""]
    if not refused and not deployment.refused and _HEADLINE.match(first):
        # An answer of its own says what failed, what runs now, and the next step.
        yield first
        yield from (f"  {line}" for line in rest)
        return
    if not refused and not deployment.refused:
        yield f"FAILED  {deployment.stack} {_what(deployment)}: {first}"
        yield from (f"  {line}" for line in rest)
    if deployment.keeps_running and deployment.swapped:
        yield f"  The service runs {deployment.keeps_running}."
    elif deployment.keeps_running:
        yield f"  Nothing was swapped: {deployment.keeps_running} keeps running."
    again = f"atlas-access sandbox deploy {deployment.stack} --phase {deployment.phase}"
    if deployment.operation is Operation.DESTROY:
        yield "  Remedy: what is protected is let go by an update of its own, before it is destroyed:"
        yield f"    {again} --config unprotect=true"
    elif deployment.refused:
        yield f"  Then run again: {again}"
    elif refused:
        yield "  Remedy: restore in Atlas what access.yaml declares, or change access.yaml; then run again:"
        yield f"    {again}"
    else:
        yield f"  Remedy: fix the cause named above and run again: {again}"


def _what(deployment: Deployment) -> str:
    return "destroy" if deployment.operation is Operation.DESTROY else deployment.phase
