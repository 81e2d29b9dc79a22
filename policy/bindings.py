"""Which user a task definition's binding is for, and which secret it should name; several rules ask this."""

from __future__ import annotations

from policy import adr
from policy.ecs import Binding, TaskView
from policy.report import Report
from policy.run import Run


def expected_secret(run: Run, last_part: str) -> str:
    """The full name of one of this stack's secrets."""
    return f"{run.secret_prefix}{last_part}"


def unseen(task: TaskView, report: Report) -> None:
    """Say that the containers, or some values in them, cannot be seen."""
    if task.unseen is not None:
        report.not_evaluated("containerDefinitions", task.unseen)
    for bound in task.bindings:
        if bound.unknown is not None:
            report.not_evaluated(bound.path, bound.unknown)


def is_mongo(bound: Binding) -> bool:
    """Whether a binding is ours to judge: by its variable's name or by its secret's."""
    if bound.variable.startswith(adr.VARIABLE_PREFIX):
        return True
    return bound.reference is not None and "/mongodb/" in bound.reference.full_name


def is_schema(bound: Binding, run: Run) -> bool:
    """Whether a binding is the schema credential, by its variable or by its secret."""
    if bound.variable == adr.SCHEMA_VARIABLE:
        return True
    return bound.reference is not None and bound.reference.names(expected_secret(run, adr.SCHEMA_NAME))
