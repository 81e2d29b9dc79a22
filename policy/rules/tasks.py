"""Task definitions and services: each family receives the law's credentials, container by container, pinned."""

import re

from policy.ecs import Binding, TaskView, role_name, task_view
from policy.law import ContainerLaw, Environment, TaskLaw
from policy.model import rule
from policy.report import Report, printable
from policy.resources import TASK_DEFINITION, Resource
from policy.run import Phase, Run
from policy.values import OUTSIDE, UNKNOWN, Marker

_SHOWN = 60
_ROLE_ACCOUNT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):")


def unseen(task: TaskView, report: Report) -> None:
    """Say that the containers, or some values in them, cannot be seen."""
    report.not_evaluated("containerDefinitions", task.unseen)
    for bound in task.bindings:
        report.not_evaluated(bound.path, bound.unknown)


def concerns(bound: Binding, law: TaskLaw | None, home: Environment, run: Run) -> bool:
    """Whether a binding is ours to judge: a variable of ours in a family of ours, or a secret of ours anywhere."""
    ours = bound.variable in home.variables or bound.variable.startswith(home.variable_prefix)
    return run.secret_ours(bound.source) or (law is not None and ours)


def law_of(task: TaskView, run: Run, report: Report) -> TaskLaw | None:
    """The law of a task's family; None for another team's, and for a family that is not known, which is reported."""
    report.not_evaluated("family", task.family)
    return run.own.tasks.get(task.family) if isinstance(task.family, str) else None


def _check_binding(bound: Binding, box: ContainerLaw, home: Environment, report: Report) -> None:
    """A variable that does not retire; the deprecated ones have a rule of their own."""
    secret = box.variables.get(bound.variable)
    if secret is None:
        report.finding(
            f"{bound.path}: the law gives the container {printable(bound.container)} no {printable(bound.variable)}."
        )
    elif bound.reference is not None and not bound.reference.names(secret, home.account):
        report.finding(f"{bound.path}: {bound.variable} has to name {secret} of {home.account}.")


@rule("bindings-by-law", TASK_DEFINITION)
def check_bindings(resource: Resource, run: Run, report: Report) -> None:
    """Families of ours have exactly the law's bindings; no other family is bound to a secret of ours."""
    task, home = resource.read(task_view), run.own
    law = law_of(task, run, report)
    unseen(task, report)
    for bound in task.bindings:
        if not concerns(bound, law, home, run) or (
            bound.reference is not None and run.foreign(bound.reference)
        ):
            continue
        if law is None:
            report.finding(f"{bound.path}: the law gives this family no {printable(bound.source[-_SHOWN:])}.")
            continue
        box = law.containers.get(bound.container)
        if box is None:
            report.finding(f"{bound.path}: the law gives the container {printable(bound.container)} none.")
        elif bound.variable not in box.deprecated:
            _check_binding(bound, box, home, report)
    if law is None or task.unseen is not None or task.problems:
        return
    if len(set(task.containers)) != len(task.containers):
        report.finding("containerDefinitions: two containers have the same name.")
    given = {(each.container, each.variable) for each in task.bindings}
    given |= {(each.container, each.variable) for each in task.plain}
    for container, box in law.containers.items():
        for variable in box.variables:
            if (container, variable) not in given:
                report.finding(f"containerDefinitions: {variable} is not bound in the container {container}.")


@rule("deprecated-env-vars", TASK_DEFINITION)
def check_deprecated(resource: Resource, run: Run, report: Report) -> None:
    """A deprecated name is bound to its successor's secret, in the law's container, until phase retire."""
    task = resource.read(task_view)
    law = law_of(task, run, report)
    unseen(task, report)
    if law is None:
        return
    for bound in task.bindings:
        box = law.containers.get(bound.container)
        successor = box.deprecated.get(bound.variable) if box is not None else None
        if box is None or successor is None or (bound.reference is not None and run.foreign(bound.reference)):
            continue
        if run.phase is Phase.RETIRE:
            report.finding(f"{bound.path}: {bound.variable} is gone from phase retire on.")
            continue
        if run.phase is None:
            report.not_evaluated("phase", UNKNOWN)
        wanted = box.variables[successor]
        if bound.reference is not None and not bound.reference.names(wanted):
            report.finding(f"{bound.path}: {bound.variable} may only alias {successor}, which is {wanted}.")


@rule("secrets-by-arn-and-version", TASK_DEFINITION)
def check_pinned(resource: Resource, run: Run, report: Report) -> None:
    """Every binding of ours is `ARN:::VERSION`: no parameter, no stage, no plain value, no other place."""
    task, home = resource.read(task_view), run.own
    law = law_of(task, run, report)
    unseen(task, report)
    for plain in task.plain if law is not None else ():
        if plain.variable in home.variables:
            report.finding(f"{plain.path}: {printable(plain.variable)} is plain; bind it to a secret.")
    for path in task.files if law is not None else ():
        report.not_evaluated(path, OUTSIDE)
    for path, text in task.others:
        if run.secret_ours(text) or any(
            f"secret:{each.secret_prefix}" in text for each in run.law.environments
        ):
            report.finding(f"{printable(path)}: names a secret of ours outside `secrets`.")
    for bound in task.bindings:
        if not concerns(bound, law, home, run) or bound.unknown is not None:
            continue
        reference = bound.reference
        if reference is None:
            report.finding(f"{bound.path}: {printable(bound.variable)} names no secret by its full ARN.")
        elif not reference.has_suffix:
            report.finding(f"{bound.path}: the secret's ARN is incomplete.")
        elif reference.key:
            report.finding(f"{bound.path}: names a part of the secret; it is one connection string.")
        elif reference.stage or not reference.version:
            report.finding(f"{bound.path}: {printable(bound.variable)} has to pin a version id, no stage.")


@rule("tasks-by-law", TASK_DEFINITION)
def check_task(resource: Resource, run: Run, report: Report) -> None:
    """A family of ours runs under the law's roles, and its revisions outlive the resource."""
    task, home = resource.read(task_view), run.own
    law = law_of(task, run, report)
    given = {"executionRoleArn": task.execution_role, "taskRoleArn": task.task_role}
    names = {path: role_name(text) for path, text in given.items()}
    if law is None:
        for path, name in names.items():
            if name in home.iam_roles and not isinstance(task.family, Marker):
                report.finding(f"{path}: the law gives {name} to other families alone.")
        return
    if not report.hides(task.skip_destroy, "skipDestroy") and task.skip_destroy is not True:
        report.finding("skipDestroy: has to be true, or the revision to roll back to is deregistered.")
    for path, allowed in (("executionRoleArn", law.execution_roles), ("taskRoleArn", law.task_roles)):
        account = _ROLE_ACCOUNT.match(str(given[path]))
        if report.hides(given[path], path) or (given[path] is None and path == "taskRoleArn"):
            continue
        if names[path] not in allowed or (account is not None and account[1] != home.account):
            report.finding(
                f"{path}: the law runs {law.family} under {' or '.join(sorted(allowed)) or 'no such role'}."
            )
