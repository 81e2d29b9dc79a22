"""Rule execution-role-least-privilege: read grants name exact secrets and the key, and nothing else of either."""

import re
from fnmatch import fnmatchcase

from policy import adr
from policy.bindings import expected_secret
from policy.iam import PolicyView, Statement, inline_views, own_policy_view, policy_view
from policy.model import Framework, Rule, Severity
from policy.reader import Reader
from policy.report import Report, printable
from policy.resources import (
    GROUP_POLICY,
    KEY_GRANT,
    MANAGED_POLICY,
    POLICY_ATTACHMENTS,
    ROLE,
    ROLE_POLICY,
    SECRET,
    SECRET_POLICY,
    USER_POLICY,
    Resource,
)
from policy.run import Run
from policy.secret_reference import parse_secret_reference
from policy.values import Marker

_READS = {"secretsmanager": ("getsecretvalue", "describesecret"), "kms": ("decrypt", "describekey")}
_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[0-9a-zA-Z-]+")
_AWS_POLICY = re.compile(r"arn:aws[a-z-]*:iam::aws:policy/(?P<name>.*)", re.DOTALL)
_HARMLESS = "service-role/AmazonECSTaskExecutionRolePolicy"


def _touches(action: str, service: str) -> bool:
    """Whether an action pattern covers anything of a service (`*`, `s*:Get*`, `secretsmanager:…`)."""
    return fnmatchcase(service, action.partition(":")[0].lower())


def _check_secret(resource: str, role: object, run: Run) -> str:
    reference = parse_secret_reference(resource)
    if reference is None or "*" in resource or "?" in resource or not reference.has_suffix:
        return "a read grant names one secret by its exact ARN."
    if run.foreign(reference):
        return ""
    if not reference.full_name.startswith(run.secret_prefix):
        return f"the secret is not one of {run.secret_prefix}."
    schema = reference.names(expected_secret(run, adr.SCHEMA_NAME))
    if schema and (run.facts is None or role != run.facts.schema_role):
        return "the schema secret is for the schema task's role alone."
    if not schema and run.facts is not None and role == run.facts.schema_role:
        return "the schema task's role reads the schema secret and no other."
    return ""


def _check_statement(statement: Statement, role: object, run: Run, report: Report) -> None:
    actions = [action.lower() for action in statement.actions if isinstance(action, str)]
    for service, allowed in _READS.items():
        mine = [action for action in actions if _touches(action, service)]
        for action in mine:
            if action.partition(":")[2] not in allowed:
                report.finding(f"{statement.path}: {printable(action)} is more than reading a secret needs.")
        if not mine:
            continue
        if not statement.resources and not statement.inverted:
            report.finding(f"{statement.path}: names no resource.")
        for target in statement.resources:
            if isinstance(target, Marker):
                report.not_evaluated(statement.path, target)
            elif service == "kms" and _KEY.fullmatch(target) is None:
                report.finding(f"{statement.path}: a decrypt grant names the one key by its ARN.")
            elif service == "secretsmanager":
                problem = _check_secret(target, role, run)
                if problem:
                    report.finding(f"{statement.path}: {problem}")
    if statement.inverted:
        report.finding(f"{statement.path}: NotAction and NotResource grant everything that they do not name.")
    for unseen in statement.actions:
        if isinstance(unseen, Marker):
            report.not_evaluated(statement.path, unseen)


def _check_view(view: PolicyView, run: Run, report: Report) -> None:
    if view.unseen is not None:
        report.not_evaluated("policy", view.unseen)
    if isinstance(view.role, Marker):
        report.not_evaluated("role", view.role)
    for statement in view.statements:
        _check_statement(statement, view.role, run, report)


def _check_attachment(arn: object, path: str, report: Report) -> None:
    if isinstance(arn, Marker):
        report.not_evaluated(path, arn)
    elif isinstance(arn, str):
        managed = _AWS_POLICY.fullmatch(arn)
        if managed is not None and managed["name"] != _HARMLESS:
            report.finding(
                f"{path}: a policy that AWS manages grants on every secret or key; write the grant out."
            )


def _check_attachments(resource: Resource, report: Report) -> None:
    _check_attachment(resource.props.get("policyArn"), "policyArn", report)
    listed = resource.props.get("policyArns")
    if isinstance(listed, Marker):
        report.not_evaluated("policyArns", listed)
    for index, arn in enumerate(listed if isinstance(listed, list) else ()):
        _check_attachment(arn, f"policyArns[{index}]", report)


def _check_own_policy(resource: Resource, report: Report) -> None:
    """A secret's own policy only narrows access: the execution roles' policies grant it."""
    view = resource.read(own_policy_view)
    if view.unseen is not None:
        report.not_evaluated("policy", view.unseen)
    for statement in view.statements:
        report.finding(f"{statement.path}: the secret itself grants; grant it to the execution role instead.")


def _check_key_grant(resource: Resource, report: Report) -> None:
    operations = Reader(resource.props).texts("operations")
    if isinstance(operations, Marker):
        report.not_evaluated("operations", operations)
    elif set(operations or ()) != {"DescribeKey"}:
        report.finding(
            "operations: a grant on the key opens every secret under it; write Decrypt into the role."
        )


def check(resource: Resource, run: Run, report: Report) -> None:
    """Judges every place that can grant reading. Grants of other services are not ours to judge."""
    if resource.type in POLICY_ATTACHMENTS:
        _check_attachments(resource, report)
        return
    if resource.type in (SECRET, SECRET_POLICY):
        _check_own_policy(resource, report)
        return
    if resource.type == KEY_GRANT:
        _check_key_grant(resource, report)
        return
    if resource.type == ROLE:
        managed = resource.props.get("managedPolicyArns")
        for index, arn in enumerate(managed if isinstance(managed, list) else ()):
            _check_attachment(arn, f"managedPolicyArns[{index}]", report)
        for view in resource.read(inline_views):
            _check_view(view, run, report)
        return
    _check_view(resource.read(policy_view), run, report)


RULE = Rule(
    name="execution-role-least-privilege",
    description="Execution roles read exactly their secrets and decrypt with exactly the key; the runtime never the "
    "schema secret (ADR 0006, ENG-266)",
    why="The execution role decides which credentials a task can obtain, whatever its definition lists.",
    source="ADR 0006",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS, Framework.HIPAA_ACCESS),
    remediation="List the secrets' full ARNs and the key's ARN, with GetSecretValue and Decrypt only.",
    offending='{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}',
    compliant='{"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"],\n'
    ' "Resource": ["arn:aws:secretsmanager:us-east-1:111111111111:secret:staging/mongodb/app-read-v2-AbCdEf"]}',
    types=(
        *(ROLE_POLICY, MANAGED_POLICY, ROLE, USER_POLICY, GROUP_POLICY, *POLICY_ATTACHMENTS),
        *(SECRET, SECRET_POLICY, KEY_GRANT),
    ),
    check=check,
    after_creation=("policy", "inlinePolicies", "policyArn", "policyArns", "role"),
)
