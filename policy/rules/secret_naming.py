"""Rule secret-naming: secrets are named `{env}/mongodb/…`."""

import re

from policy.model import Framework, Rule, Severity
from policy.reader import Reader
from policy.report import Report
from policy.resources import SECRET, Resource
from policy.run import Run
from policy.values import Marker


def check(resource: Resource, run: Run, report: Report) -> None:
    """The name is the stack's prefix and one lower-case part. Another environment's prefix is `project-isolation`'s."""
    name = Reader(resource.props).text("name")
    if isinstance(name, Marker):
        report.not_evaluated("name", name)
        return
    if name is None:
        report.finding(f"name: has to be given and to begin with {run.secret_prefix}.")
        return
    if any(name.startswith(other.secret_prefix) for other in run.others):
        return
    if re.fullmatch(rf"{re.escape(run.secret_prefix)}[a-z0-9]+(-[a-z0-9]+)*", name) is None:
        report.finding(f"name: has to be {run.secret_prefix} and one lower-case part with hyphens.")


RULE = Rule(
    name="secret-naming",
    description="Secrets are named {env}/mongodb/… (ADR 0001)",
    why="Grants, drift checks and people find a credential by its name, which begins with the environment.",
    source="ADR 0001",
    severity=Severity.MEDIUM,
    frameworks=(Framework.CMS_SEPARATION,),
    remediation="Name the secret after its environment and user, e.g. staging/mongodb/app-read-v2.",
    offending='aws.secretsmanager.Secret("s", name="mongo-app-read", ...)',
    compliant='aws.secretsmanager.Secret("s", name="staging/mongodb/app-read-v2", ...)',
    types=(SECRET,),
    check=check,
)
