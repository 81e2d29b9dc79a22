"""Who may read a secret of ours: the law's roles, by exact ARN, and nobody by a detour."""

import re
from collections.abc import Iterator, Sequence

from policy.iam import PolicyView, Statement, inline_views, own_policy_view, policy_view
from policy.law import Environment
from policy.model import documented
from policy.reader import Reader
from policy.report import Report
from policy.resources import (
    KEY_GRANT,
    KEY_POLICY,
    MANAGED_POLICY,
    ROLE,
    ROLE_POLICY,
    SECRET,
    SECRET_POLICY,
    Resource,
)
from policy.run import Run
from policy.secret_reference import parse_secret_reference
from policy.values import Marker, Value

_READS = ("secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue")
_CHANGES = tuple(
    f"secretsmanager:{name}"
    for name in (
        *("PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage", "DeleteSecret", "RotateSecret"),
        *("PutResourcePolicy", "ReplicateSecretToRegions"),
    )
)
_OPENS = ("kms:Decrypt", "kms:ReEncryptFrom")
_KEY_CHANGES = ("kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey")
_ANY_KEY = "00000000-0000-0000-0000-000000000000"
_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[0-9a-zA-Z-]+")
_MANAGED = re.compile(
    r"arn:aws[a-z-]*:iam::(?P<account>aws|\d{12}):policy/(?:.*/)?(?P<name>[^/]+)", re.DOTALL
)
_HARMLESS = frozenset({"AmazonECSTaskExecutionRolePolicy"})
_WIDE = re.compile(
    r"Administrator|PowerUser|SecretsManager|IAMFullAccess|KeyManagement|^Billing.*Full", re.IGNORECASE
)
DOCUMENTS = (
    *(ROLE_POLICY, MANAGED_POLICY, "aws:iam/userPolicy:UserPolicy", "aws:iam/groupPolicy:GroupPolicy"),
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy",
    *(f"aws-native:iam:{kind}" for kind in ("RolePolicy", "UserPolicy", "GroupPolicy", "ManagedPolicy")),
)
_ATTACHMENTS = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment",
)
_REPLICA_KEY = "aws:kms/replicaKey:ReplicaKey"
_OF_KEYS = (KEY_GRANT, KEY_POLICY, _REPLICA_KEY)
_INLINE_EXCLUSIVE = "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive"


def _secret_arns(home: Environment) -> Iterator[tuple[str, str]]:
    for name in (*home.secrets, *home.legacy_secrets):
        yield name, f"arn:aws:secretsmanager:us-east-1:{home.account}:secret:{name}-AbCdEf"


def _keys(run: Run, home: Environment) -> list[str]:
    known = {key.rpartition("/")[2] for key in run.history.keys | home.keys}
    return [f"arn:aws:kms:us-east-1:{home.account}:key/{key}" for key in (*sorted(known), _ANY_KEY)]


def _exact(statement: Statement, run: Run) -> bool:
    """Whether every secret of ours and every key of a statement is named by its whole ARN."""
    for target in statement.resources:
        if not isinstance(target, str):
            continue
        reference = parse_secret_reference(target)
        whole = reference is not None and reference.has_suffix and not set("*?") & set(target)
        if statement.not_resources or not (whole or _KEY.fullmatch(target)):
            return False
    return True


def _check_document(view: PolicyView, path: str, run: Run, report: Report) -> None:
    home = run.home
    if view.unseen is not None:
        report.not_evaluated(path, view.unseen)
    if isinstance(view.role, Marker):
        report.not_evaluated("role", view.role)
        return
    hidden = {each.path: each.hidden for each in view.statements if each.hidden is not None}
    for place, marker in hidden.items():
        if marker is not None:
            report.not_evaluated(place, marker)
    if home is None:
        return
    for message in dict.fromkeys(_problems(view, run, home)):
        report.finding(message)


def _problems(view: PolicyView, run: Run, home: Environment) -> Iterator[str]:
    readable = home.readers.get(view.role, frozenset()) if isinstance(view.role, str) else frozenset()
    reads, changes = view.mentions(_READS), view.mentions(_CHANGES)
    opens, key_changes = view.mentions(_OPENS), view.mentions(_KEY_CHANGES)
    for name, arn in _secret_arns(home) if reads or changes else ():
        for action in reads:
            found = view.allowing(action, arn)
            if found is not None and (name not in readable or action != _READS[0]):
                yield f"{found.path}: lets read {name}, whose readers the law names."
            elif found is not None and not _exact(found, run):
                yield f"{found.path}: a read grant names each secret by its whole ARN."
        for action in changes:
            found = view.allowing(action, arn)
            if found is not None:
                yield f"{found.path}: allows {action} on {name}; only the program changes a secret of ours."
    for key in _keys(run, home) if opens or key_changes else ():
        for action in opens:
            found = view.allowing(action, key)
            if found is not None and not (readable and action == _OPENS[0] and _exact(found, run)):
                yield f"{found.path}: allows {action} with the key of our secrets, or with every key."
        for action in key_changes:
            found = view.allowing(action, key)
            if found is not None:
                yield f"{found.path}: allows {action} on the key of our secrets, or on every key."


def _check_attachments(resource: Resource, run: Run, report: Report) -> None:
    home = run.home
    roles = {
        resource.props.get(key) for key in ("role", "roleName") if isinstance(resource.props.get(key), str)
    }
    listed = resource.props.get("roles")
    roles |= {each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, str)}
    if resource.type == ROLE:
        roles = {name for name in [resource.props.get("name")] if isinstance(name, str)}
    ours = home is not None and bool({str(each).rpartition("/")[2] for each in roles} & home.iam_roles)
    if ours and resource.type == _INLINE_EXCLUSIVE:
        report.finding("policyNames: takes the grants that the program writes off a role of ours.")
    for key in ("policyArn", "managedPolicyArn", "policyArns", "managedPolicyArns"):
        value = resource.props.get(key)
        for index, arn in enumerate(value if isinstance(value, list) else [value]):
            path = f"{key}[{index}]" if isinstance(value, list) else key
            _check_attachment(arn, path, ours, run, report)


def _check_attachment(arn: Value, path: str, ours: bool, run: Run, report: Report) -> None:  # noqa: FBT001
    if isinstance(arn, Marker):
        report.not_evaluated(path, arn)
    managed = _MANAGED.fullmatch(arn) if isinstance(arn, str) else None
    if managed is None:
        return
    if managed["account"] == "aws":
        if _WIDE.search(managed["name"]) or (ours and managed["name"] not in _HARMLESS):
            report.finding(
                f"{path}: a policy that AWS manages can read every secret or change who may; write the grant out."
            )
    elif ours and managed["name"] not in run.history.policies:
        report.finding(f"{path}: a policy that this stack does not declare, so its grants are not seen.")


def _check_key(resource: Resource, run: Run, report: Report) -> None:
    """A grant or a policy on the key of our secrets: nobody but the account itself and the law's readers."""
    home = run.home
    key = Reader(resource.props).text("keyId", "primaryKeyArn")
    if isinstance(key, Marker):
        report.not_evaluated("keyId", key)
    if home is None or not isinstance(key, str):
        return
    known = {each.rpartition("/")[2] for each in run.history.keys | home.keys} | {home.key_alias}
    if key.rpartition("/")[2] not in known and not key.endswith(home.key_alias):
        return
    if resource.type == _REPLICA_KEY:
        report.finding(
            "primaryKeyArn: copies the key of our secrets to another region, where no rule sees its use."
        )
        return
    if resource.type == KEY_GRANT:
        operations = Reader(resource.props).texts("operations")
        if isinstance(operations, Marker):
            report.not_evaluated("operations", operations)
        elif set(operations or ()) != {"DescribeKey"}:
            report.finding(
                "operations: a grant on the key opens every secret under it; write Decrypt into the role."
            )
        return
    view = resource.read(policy_view)
    if view.unseen is not None:
        report.not_evaluated("policy", view.unseen)
    allowed = {
        f"arn:aws:iam::{home.account}:root",
        *(f"arn:aws:iam::{home.account}:role/{each}" for each in home.readers),
    }
    for statement in view.statements:
        if statement.allows and set(statement.principals) - allowed:
            report.finding(
                f"{statement.path}: the key's policy lets others use it than the account and the law's readers."
            )


def check_readers(resource: Resource, run: Run, report: Report) -> None:
    """Judges every place that can grant reading a secret of ours; grants on other teams' secrets are not ours."""
    if resource.type in _OF_KEYS:
        _check_key(resource, run, report)
    elif resource.type == SECRET_POLICY:
        secret = Reader(resource.props).text("secretArn")
        view = resource.read(own_policy_view)
        if isinstance(secret, Marker):
            report.not_evaluated("secretArn", secret)
        elif run.secret_ours(secret):
            if view.unseen is not None:
                report.not_evaluated("policy", view.unseen)
            for statement in view.statements:
                report.finding(
                    f"{statement.path}: the secret itself grants; grant it to the execution role instead."
                )
    elif resource.type in DOCUMENTS:
        _check_document(resource.read(policy_view), "policy", run, report)
    elif resource.type == ROLE:
        for view in resource.read(inline_views):
            _check_document(view, "inlinePolicies", run, report)
        _check_attachments(resource, run, report)
    else:
        _check_attachments(resource, run, report)


def check_keys(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """The key of our secrets is known once all are registered."""
    for resource in resources:
        if resource.type == SECRET and run.secret_ours(str(resource.props.get("name"))):
            run.history.record(resource)
    for resource in resources:
        if resource.type in (*_OF_KEYS, *DOCUMENTS):
            report.on(resource)
            check_readers(resource, run, report)


SECRET_READERS = documented(
    "secret-readers",
    types=(*DOCUMENTS, *_ATTACHMENTS, ROLE, SECRET_POLICY, _INLINE_EXCLUSIVE, *_OF_KEYS),
    check=check_readers,
    check_stack=check_keys,
    after_creation=(
        "policy",
        "inlinePolicies",
        "inlinePolicy",
        "policyArn",
        "policyArns",
        "managedPolicyArns",
        "role",
        "keyId",
        "secretArn",
    ),
)
