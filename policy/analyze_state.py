"""Judges an exported deployment (Pulumi's format, version 3 or 4); an encrypted value is reported as not evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from policy.evaluate import Evaluator, joined
from policy.law import Law
from policy.model import Finding, Level, NotEvaluated
from policy.resources import SERVICE_ACCESS, Resource
from policy.run import Run, carried_phase, parse_phase
from policy.values import from_protocol

DEPLOYMENT_VERSIONS = (3, 4)
"""What `pulumi stack export` writes: 4 as soon as a resource is tainted, or has hooks or views; 3 otherwise."""


class StateInvalid(ValueError):
    """The file is no exported deployment that can be judged."""


@dataclass(frozen=True)
class StateReport:
    """Everything that the rules say about a deployment; `resources` is how many were judged."""

    stack: str
    phase: str
    resources: int
    findings: tuple[Finding, ...]
    not_evaluated: tuple[NotEvaluated, ...]

    @property
    def violations(self) -> tuple[Finding, ...]:
        """The findings that fail a check; the rest are advice."""
        return tuple(finding for finding in self.findings if finding.level is Level.MANDATORY)


def analyze_state(text: str, law: Law, phase: str | None = None) -> StateReport:
    """Judge an exported deployment.

    `phase` is the stack's setting; without it the phase that our component carries is used, and without that, rules
    that need it report so. Raises StateInvalid.
    """
    entries = _entries(text)
    inputs = [_resource(entry, "inputs") for entry in entries]
    outputs = [_resource(entry, "outputs") for entry in entries]
    stack = next((resource.stack for resource in inputs if resource.stack), "")
    found = phase or next(filter(None, map(carried_phase, (*inputs, *outputs))), None)
    current, problem = parse_phase(found) if found else (None, "")
    listed = (each.props.get("removing") for each in (*inputs, *outputs) if each.type == SERVICE_ACCESS)
    removing = frozenset(str(name) for names in listed if isinstance(names, list) for name in names)
    evaluator = Evaluator(Run(law, stack, current, problem, removing=removing, exported=True))
    whole = joined([*(evaluator.resource(resource) for resource in inputs), evaluator.stack(outputs)])
    named = current.value if current is not None else ""
    return StateReport(stack, named, len(inputs), whole.findings, whole.not_evaluated)


def _entries(text: str) -> list[Mapping[str, object]]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise StateInvalid("the state is not JSON. Export it with: pulumi stack export.") from None
    if not isinstance(raw, dict) or raw.get("version") not in DEPLOYMENT_VERSIONS:
        raise StateInvalid("the state is no deployment of version 3 or 4. Export it by: pulumi stack export.")
    deployment = raw.get("deployment")
    listed = deployment.get("resources") if isinstance(deployment, dict) else None
    if listed is None and isinstance(deployment, dict):
        return []
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise StateInvalid("the state's deployment.resources has to be a list of objects.")
    for index, entry in enumerate(listed):
        if not isinstance(entry.get("urn"), str) or not isinstance(entry.get("type"), str):
            raise StateInvalid(f"the state's resource {index} has no urn or no type.")
    return [entry for entry in listed if not entry.get("delete") and not entry.get("viewOf")]


def _names(raw: object) -> tuple[str, ...]:
    return tuple(item for item in raw if isinstance(item, str)) if isinstance(raw, list) else ()


def _resource(entry: Mapping[str, object], side: str) -> Resource:
    urn, parent, by_property = str(entry["urn"]), entry.get("parent"), entry.get("propertyDependencies")
    related = [entry.get("dependencies"), *(by_property.values() if isinstance(by_property, dict) else ())]
    known, given = {"id": entry.get("id")} if side == "outputs" else {}, entry.get(side)
    props = from_protocol({**known, **given} if isinstance(given, dict) else known)
    return Resource(
        urn=urn,
        type=str(entry["type"]),
        name=urn.rsplit("::", 1)[-1],
        props=props if isinstance(props, dict) else {},
        protect=entry.get("protect") is True,
        ignore_changes=_names(entry.get("ignoreChanges")),
        delete_before_replace=entry.get("deleteBeforeReplace") is True,
        dependencies=tuple(dict.fromkeys(urn for urns in related for urn in _names(urns))),
        parent=parent if isinstance(parent, str) else "",
    )
