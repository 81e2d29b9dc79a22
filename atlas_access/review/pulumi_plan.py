"""A plan that `pulumi preview --save-plan` saved, in the review's sentences: what changes for roles, users and tasks.

Pure. A plan has new values only; what a change takes away is said by the review of the declaration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from atlas_access.manifest import Manifest
from atlas_access.review.deployment import Change, Step
from atlas_access.review.deployment_access import ACCESS, access_lines

_OF_ACCESS = (":DatabaseUser", ":CustomDbRole", ":TaskDefinition")


class PlanUnread(ValueError):
    """The text is no saved plan."""


def access_of_plan(text: str, manifest: Manifest, stack: str) -> tuple[str, ...]:
    """Each change of a role, a user or a task definition, and what it does to access. Raises PlanUnread."""
    try:
        plans = json.loads(text).get("resourcePlans") or {}
        steps = [step for urn, each in plans.items() for step in _steps(urn, each)]
        return tuple(line for step in steps for line in _lines(step, manifest, stack))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PlanUnread(type(error).__name__) from None


def _steps(urn: str, planned: dict[str, object]) -> Iterator[Step]:
    goal, operations = planned.get("goal"), planned.get("steps")
    diff = goal.get("inputDiff", {}) if isinstance(goal, dict) else {}
    given = {**(diff.get("adds") or {}), **(diff.get("updates") or {})}
    texts = {key: each if isinstance(each, str) else json.dumps(each) for key, each in given.items()}
    changes = tuple(Change(key, None, text) for key, text in texts.items() if key in ACCESS)
    _, _, chain, name = urn.split("::", 3)
    for operation in operations if isinstance(operations, list) else ():
        yield Step(str(operation), chain.rpartition("$")[2], name, changes)


def _lines(step: Step, manifest: Manifest, stack: str) -> Iterator[str]:
    goes = step.operation.startswith("delete")
    said = () if goes else access_lines(replace(step, operation="create"), manifest, stack)
    if step.changing and (said or (goes and step.type.endswith(_OF_ACCESS))):
        yield f"{step.operation} {step.kind} {step.name}"
        yield from (f"    {line}" for line in said)
