"""What starts tasks of ours, and what else reaches for a secret or a service of ours."""

import re
from collections.abc import Iterator

from policy.law import Environment
from policy.model import documented
from policy.parts import TEMPLATE, template
from policy.report import Report, printable
from policy.resources import DYNAMIC, ECS_SERVICE, OUR_COMPONENTS, TASK_DEFINITION, Resource
from policy.run import Run
from policy.values import UNKNOWN

_TASK_SET = "aws:ecs/taskSet:TaskSet"
_STARTERS = re.compile(
    r"aws:(?:cloudwatch/eventTarget|scheduler/schedule|pipes/pipe|sfn/stateMachine|lambda/|codepipeline/|codedeploy/|"
    r"appautoscaling/|cloudformation/)|aws-native:|awsx:|command:"
)
_OBSERVERS = re.compile(
    r"pulumi:|aws:(?:cloudwatch/(?!eventTarget|eventPermission)|sns/|cloudtrail/|cfg/|budgets/|resourcegroups/|"
    r"secretsmanager/|iam/|kms/|ssoadmin/|accessanalyzer/)"
)
"""What names a secret without being able to hand out its value, or has a rule of its own."""


def families_in(text: str, home: Environment) -> Iterator[str]:
    """The families and services of ours that a text names, as a whole word."""
    for name in (*home.tasks, *home.services):
        if name in text and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text):
            yield name


def _text(resource: Resource, key: str) -> str:
    value = resource.props.get(key)
    return value if isinstance(value, str) else ""


def _is_ours(resource: Resource, home: Environment) -> bool:
    named = (f"{_text(resource, 'taskDefinition')} {_text(resource, 'service')}", home)
    return _text(resource, "name") in home.services or any(families_in(*named))


def check_services(resource: Resource, run: Run, report: Report) -> None:
    """No ECS service, task set, schedule or command in a stack moves or starts a task of ours but the law's own."""
    home = run.home
    if home is None or resource.type.startswith((OUR_COMPONENTS, DYNAMIC)):
        return
    if resource.type in (ECS_SERVICE, _TASK_SET):
        for key in ("taskDefinition", *(("name",) if resource.type == ECS_SERVICE else ("service",))):
            report.not_evaluated(key, resource.props.get(key))
        if _is_ours(resource, home):
            report.finding("runs a family of ours; a rollout alone moves our services, no stack does.")
        return
    if not _STARTERS.match(resource.type):
        return
    schedulers = {name for task in home.tasks.values() for name in task.schedulers}
    if resource.name in schedulers or _text(resource, "name") in schedulers:
        return
    for path, text in resource.texts:
        for name in dict.fromkeys(families_in(text, home)):
            report.finding(f"{printable(path)}: starts or changes {name} as the law does not say.")


SERVICES_BY_LAW = documented("services-by-law", check=check_services)


def check_elsewhere(resource: Resource, run: Run, report: Report) -> None:
    """No type but the ones that have rules of their own names a secret of ours."""
    if resource.type == TASK_DEFINITION or resource.type.startswith((OUR_COMPONENTS, DYNAMIC)):
        return
    if _OBSERVERS.match(resource.type) or run.home is None:
        return
    names = {*run.home.secrets, *run.home.legacy_secrets}
    if TEMPLATE.match(resource.type):
        names |= {f"{path}{role}" for role in run.home.iam_roles for path in ("", "role/")}
        report.not_evaluated("templateBody", resource.props.get("templateBody"))
        if isinstance(resource.props.get("templateBody"), str) and not template(resource):
            report.not_evaluated("template", UNKNOWN)
    for path, text in resource.texts:
        if f"secret:{run.home.secret_prefix}" in text or any(_whole(name, text) for name in names):
            report.finding(
                f"{printable(path)}: names a secret or role of ours; the law's tasks alone use it."
            )


def _whole(name: str, text: str) -> bool:
    return name in text and re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w-])", text) is not None


OTHER_READERS = documented("other-readers", check=check_elsewhere)
