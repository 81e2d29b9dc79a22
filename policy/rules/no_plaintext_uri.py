"""Rule no-plaintext-uri: a connection string with a password is allowed in a secret's value only."""

from collections.abc import Sequence

from policy.credentials import leaks
from policy.model import Framework, Rule, Severity
from policy.report import Report, printable
from policy.resource import DATABASE_USER, RANDOM_PASSWORD, SECRET_VERSION, STACK, STACK_REFERENCE, Resource
from policy.run import Run

_BELONGS = {
    SECRET_VERSION: ("secretString", "secretStringWo"),
    DATABASE_USER: ("password", "passwordWo"),
    RANDOM_PASSWORD: ("result", "bcryptHash"),
}


def _shared(resource: Resource, run: Run) -> tuple[str, ...]:
    """Paths at which a secret output may cross stacks: the one that configuration names, by StackReference."""
    names = run.config.shared_secret_outputs
    if resource.type == STACK:
        return tuple(names)
    if resource.type == STACK_REFERENCE:
        return tuple(f"outputs.{name}" for name in names)
    return _BELONGS.get(resource.type, ())


def check(resource: Resource, run: Run, report: Report) -> None:
    """No input of any resource holds one; names and keys are searched too."""
    allowed = _shared(resource, run)
    places = {path: kind for path, kind in leaks(resource.props) if path not in allowed}
    for path, kind in sorted(places.items()):
        report.finding(f"{printable('a key' if path.endswith('<key>') else path)}: holds {kind}.")


def check_stack(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """No output of any resource holds one, the stack's own outputs included."""
    for resource in resources:
        report.on(resource)
        check(resource, run, report)


RULE = Rule(
    name="no-plaintext-uri",
    description="No connection string with a password but in a secret's value (ENG-279 rule 4)",
    why="Task environments, tags, parameters and outputs are readable by far more people and systems than a secret is.",
    source="ENG-279 rule 4",
    severity=Severity.CRITICAL,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS, Framework.HIPAA_ACCESS),
    remediation="Store the string with SecretVersion, bind it by ARN and version, and rotate the exposed password.",
    offending='aws.ssm.Parameter("p", type="String", value="mongodb+srv://user:password@host/db")',
    compliant='aws.secretsmanager.SecretVersion("v", secret_id=secret.id, secret_string=connection)',
    check=check,
    check_stack=check_stack,
)
