"""What starts tasks of ours, and what else reaches for a secret or a service of ours."""

import re
from collections.abc import Iterator

from policy.law import Environment
from policy.model import rule
from policy.parts import pieces
from policy.readings import readings
from policy.report import Report, printable
from policy.resources import DYNAMIC, ECS_SERVICE, OUR_COMPONENTS, TASK_DEFINITION, Resource
from policy.run import Run
from policy.template import TEMPLATE, template
from policy.values import OUTSIDE

_TASK_SET = "aws:ecs/taskSet:TaskSet"
_ELSEWHERE = frozenset({"templateurl", "location", "applicationid"})
"""Where a stack or an application takes a template from, which is not read: it could make a role that reads."""

_STARTERS = re.compile(
    r"aws:(?:cloudwatch/eventTarget|scheduler/schedule|pipes/pipe|sfn/stateMachine|lambda/(?!permission)|codepipeline/|codedeploy/|"
    r"appautoscaling/|cloudformation/|serverlessrepository/)|awsx:|command:|Custom::|aws-native:(?:ecs|events|scheduler|"
    r"pipes|stepfunctions|lambda(?!:Permission)|codepipeline|codedeploy|applicationautoscaling|cloudformation|serverless):"
)
_SHELLS = re.compile(
    r"aws(?:-native)?:(?:ssm|ec2|autoscaling|batch|codebuild|glue|imagebuilder)\b|kubernetes:|docker:"
)
_COMMANDS = (
    re.compile(r"(?i)\becs\b"),
    re.compile(
        r"(?i)(?:run|start|stop)[-_]?task|(?:create|update|delete)[-_]?service|execute[-_]?command|"
        r"register[-_]?task[-_]?definition|create[-_]?task[-_]?set"
    ),
)
"""What runs commands of any kind, and the commands of ECS that start, move or stop a task."""

_RUNNERS = re.compile(
    rf"{_STARTERS.pattern}|kubernetes:|aws(?:-native)?:(?:ssm[:/](?!parameter)|batch|apprunner|codebuild|glue|sagemaker|iam:InstanceProfile)\b"
)
"""What runs code under a role that it names; a role in another type's policy is given something, which is harmless."""

_OBSERVERS = re.compile(
    r"pulumi:|aws:(?:cloudwatch/(?!eventTarget|eventPermission)|sns/|cloudtrail/|cfg/|budgets/|resourcegroups/|"
    r"secretsmanager/|iam/|kms/|ssoadmin/|accessanalyzer/)|"
    r"aws-native:(?:cloudwatch|logs|sns|cloudtrail|config|budgets|resourcegroups|accessanalyzer):"
)
"""What names a secret without being able to hand out its value, or has a rule of its own."""


def families_in(text: str, home: Environment) -> Iterator[str]:
    """The families and services of ours that a text names, as a whole word."""
    return (name for name in (*home.tasks, *home.services) if _whole(name, text))


def runs_ours(resource: Resource, home: Environment) -> bool:
    """Whether an ECS service or a task set is of a service or a family of ours."""
    named = " ".join(str(resource.props.get(key)) for key in ("taskDefinition", "service"))
    return str(resource.props.get("name")) in home.services or any(families_in(named, home))


def _is_scheduler(resource: Resource, home: Environment) -> bool:
    schedulers = {name for task in home.tasks.values() for name in task.schedulers}
    named = {resource.name, str(resource.props.get("name"))}
    return re.search("(?i)schedule|event", resource.type) is not None and not schedulers.isdisjoint(named)


def _texts(piece: Resource) -> tuple[tuple[str, str], ...]:
    """Its texts; those of what runs commands also as each of their encodings reads."""
    if not _SHELLS.match(piece.type):
        return piece.texts
    return tuple((path, plain) for path, text in piece.texts for plain in readings(text, exact=False))


@rule("services-by-law")
def check_services(resource: Resource, run: Run, report: Report) -> None:
    """No ECS service, task set, schedule or command in a stack moves or starts a task of ours but the law's own."""
    home = run.own
    if resource.type.startswith((OUR_COMPONENTS, DYNAMIC)):
        return
    if resource.type in (ECS_SERVICE, _TASK_SET):
        for key in ("taskDefinition", "name", "service"):
            report.not_evaluated(key, resource.props.get(key))
        if runs_ours(resource, home):
            report.finding("runs a family of ours; a rollout alone moves our services, no stack does.")
        return
    for about, piece in pieces(resource):
        found = piece.read(_texts)
        commands = all(any(each.search(text) for _, text in found) for each in _COMMANDS)
        starts = _STARTERS.match(piece.type) or (commands and _SHELLS.match(piece.type))
        if not starts or _is_scheduler(piece, home):
            continue
        report.on(about)
        for path, text in found:
            for name in dict.fromkeys(families_in(text, home)) if not path.startswith("eventPattern") else ():
                report.finding(f"{printable(path)}: starts or changes {name} as the law does not say.")


@rule("other-readers")
def check_elsewhere(resource: Resource, run: Run, report: Report) -> None:
    """No type but the ones that have rules of their own names a secret of ours."""
    if resource.type == TASK_DEFINITION or resource.type.startswith((OUR_COMPONENTS, DYNAMIC)):
        return
    if _OBSERVERS.match(resource.type):
        return
    home = run.own
    secrets = {*home.secrets, *home.legacy_secrets}
    body, read = resource.props.get("templateBody"), resource.read(template)
    if TEMPLATE.match(resource.type) and not report.hides(body, "templateBody") and body is not None:
        if read is None or not read.resources:
            report.not_evaluated("template", OUTSIDE)
        elif read.has_macros:
            report.not_evaluated("template.Transform", OUTSIDE)
    makes_iam = "IAM" in str(resource.props.get("capabilities", ""))
    for about, piece in pieces(resource):
        if _OBSERVERS.match(piece.type):
            continue
        report.on(about)
        names = secrets
        if _RUNNERS.match(piece.type):
            names = secrets.union(*((role, f"role/{role}") for role in home.iam_roles))
        for path, text in piece.read(_texts):
            if (
                f"secret:{home.secret_prefix}" in text
                or text.rstrip("*") == home.secret_prefix
                or any(_whole(name, text, "/") for name in names)
            ):
                report.finding(f"{printable(path)}: names a secret or role of ours; our tasks alone use it.")
        for key in piece.props if TEMPLATE.match(piece.type) else ():
            if key.lower() in _ELSEWHERE and (makes_iam or _names_ours(piece, home)):
                report.not_evaluated(key, OUTSIDE)


def _names_ours(piece: Resource, home: Environment) -> bool:
    own = (home.project, home.cluster, home.key_alias)
    return any(any(each in text for each in own) or any(families_in(text, home)) for _, text in piece.texts)


def _whole(name: str, text: str, before: str = "") -> bool:
    begins = rf"(?:(?<![\w{before}-])|(?<=/secretsmanager/))"
    return name in text and re.search(rf"{begins}{re.escape(name)}(?![\w-])", text) is not None
