"""Rule proof-before-bind: a task gets a secret's version only after that very version was proven."""

from collections.abc import Mapping, Sequence

from policy.ecs import Binding, ProofView, proof_view, task_view
from policy.model import rule
from policy.report import Report
from policy.resources import PRIVILEGE_PROOF, TASK_DEFINITION, Resource
from policy.rules.tasks import unseen
from policy.run import Run
from policy.secret_reference import SecretReference
from policy.values import UNKNOWN, Marker


def _judged(bound: Binding, run: Run) -> SecretReference | None:
    """The reference this rule judges: ours, pinned; what is unpinned or foreign has a rule of its own."""
    reference = bound.reference
    if (
        reference is None
        or not reference.version
        or run.foreign(reference)
        or not run.secret_ours(bound.source)
    ):
        return None
    return reference


@rule("proof-before-bind", TASK_DEFINITION)
def check(resource: Resource, run: Run, report: Report) -> None:
    """Every bound version is the version of a proof that was registered before the task definition."""
    task = resource.read(task_view)
    unseen(task, report)
    for bound in task.bindings:
        reference = _judged(bound, run)
        if reference is None:
            continue
        versions = {version for version, _ in run.history.proofs.get(reference.arn, {}).values()}
        if reference.version in versions:
            continue
        if any(isinstance(version, Marker) for version in versions) or run.history.unseen_proofs:
            report.not_evaluated(bound.path, UNKNOWN)
        else:
            report.finding(f"{bound.path}: {bound.variable} takes a version that no earlier proof has tried.")


def _reachable(
    start: Resource, by_urn: Mapping[str, Resource], children: Mapping[str, list[str]]
) -> set[str]:
    """Everything that a resource or a component above it depends on, through components' children too."""
    above = {each.urn for each in _above(start, by_urn)}
    pending = [*start.dependencies, *(urn for each in _above(start, by_urn) for urn in each.dependencies)]
    seen: set[str] = set()
    while pending:
        urn = pending.pop()
        if urn in seen or urn not in by_urn or urn == start.urn:
            continue
        seen.add(urn)
        pending.extend(by_urn[urn].dependencies)
        if urn not in above:
            pending.extend(children.get(urn, ()))
    return seen


def _above(start: Resource, by_urn: Mapping[str, Resource]) -> list[Resource]:
    found: list[Resource] = []
    parent = by_urn.get(start.parent)
    while parent is not None and parent not in found:
        found.append(parent)
        parent = by_urn.get(parent.parent)
    return found


@rule("proof-before-bind", whole_stack=True)
def check_stack(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """Every task definition depends on the proof of each credential it binds, and that proof says proven."""
    by_urn = {resource.urn: resource for resource in resources}
    children: dict[str, list[str]] = {}
    proofs: dict[str, list[Resource]] = {}
    for resource in resources:
        children.setdefault(resource.parent, []).append(resource.urn)
        if resource.type == PRIVILEGE_PROOF:
            arn = resource.read(proof_view).secret_arn
            proofs.setdefault(arn if isinstance(arn, str) else "", []).append(resource)
    for task in resources:
        if task.type != TASK_DEFINITION:
            continue
        report.on(task)
        view = task.read(task_view)
        unseen(view, report)
        reachable = _reachable(task, by_urn, children) if view.bindings else set()
        for bound in view.bindings:
            reference = _judged(bound, run)
            if reference is not None:
                _check_proofs(bound, reference, proofs, reachable, report)


def _check_proofs(
    bound: Binding,
    reference: SecretReference,
    proofs: Mapping[str, list[Resource]],
    reachable: set[str],
    report: Report,
) -> None:
    of_secret = proofs.get(reference.arn, [])
    matching = [proof for proof in of_secret if proof.urn in reachable]
    if not matching:
        if not proofs.get(""):
            report.finding(f"{bound.path}: {bound.variable} does not depend on the proof of its credential.")
        else:
            report.not_evaluated(bound.path, UNKNOWN)
        return
    for proof in of_secret:
        view = proof.read(proof_view)
        if proof in matching or view.secret_version == reference.version:
            _check_verdict(bound, view, report)


def _check_verdict(bound: Binding, proof: ProofView, report: Report) -> None:
    if proof.verdict is None or isinstance(proof.verdict, Marker):
        report.not_evaluated(bound.path, proof.verdict or UNKNOWN)
    elif proof.verdict != "proven":
        report.finding(f"{bound.path}: {bound.variable} is bound although a proof of it is not proven.")
    elif isinstance(proof.attempts, Marker):
        report.not_evaluated(bound.path, UNKNOWN)
    elif proof.attempts is None or proof.attempts < 1:
        report.finding(f"{bound.path}: {bound.variable} is bound by a proof that tried nothing.")
