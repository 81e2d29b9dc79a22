"""Who may read a secret of ours: the law's roles, by exact ARN, and nobody by a detour."""

import re
from collections.abc import Iterator, Sequence

from policy.iam import PolicyView, Statement, inline_views, own_policy_view, policy_view
from policy.law import Environment
from policy.model import documented
from policy.parts import parts
from policy.reader import Reader
from policy.report import Report
from policy.resources import (
    KEY,
    KEY_GRANT,
    KEY_POLICY,
    MANAGED_POLICY,
    REPLICA_KEY,
    ROLE,
    ROLE_POLICY,
    SECRET_POLICY,
    Resource,
)
from policy.run import Run
from policy.secret_reference import parse_secret_reference
from policy.values import UNKNOWN, Marker, Value

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
    r"arn:aws[a-z-]*:iam::(?P<account>aws|\d{12}):policy(?P<path>/(?:.*/)?(?P<name>[^/]+))", re.DOTALL
)
_HARMLESS = frozenset({"AmazonECSTaskExecutionRolePolicy"})
_WIDE = re.compile(
    r"Administrator|PowerUser|SecretsManager|IAMFullAccess|KeyManagement|^Billing.*Full", re.IGNORECASE
)


def _tokens(package: str, *kinds: str) -> tuple[str, ...]:
    return tuple(f"{package}/{kind[0].lower()}{kind[1:]}:{kind}" for kind in kinds)


DOCUMENTS = (
    *(ROLE_POLICY, MANAGED_POLICY, *_tokens("aws:iam", "UserPolicy", "GroupPolicy")),
    *_tokens("aws:ssoadmin", "PermissionSetInlinePolicy"),
)
_OF_SSO = ("ManagedPolicyAttachment", "CustomerManagedPolicyAttachment")
_OF_IAM = ("RolePolicyAttachment", "UserPolicyAttachment", "GroupPolicyAttachment", "PolicyAttachment")
_ATTACHMENTS = (
    *_tokens("aws:ssoadmin", *_OF_SSO, *(f"{kind}sExclusive" for kind in _OF_SSO)),
    *_tokens("aws:iam", *_OF_IAM, *(f"{kind}sExclusive" for kind in _OF_IAM)),
)
_OF_KEYS = (KEY, KEY_GRANT, KEY_POLICY, REPLICA_KEY)
_INLINE_EXCLUSIVE = "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive"


def _secret_arns(home: Environment) -> Iterator[tuple[str, str]]:
    for name in (*home.secrets, *home.legacy_secrets):
        yield name, f"arn:aws:secretsmanager:us-east-1:{home.account}:secret:{name}-AbCdEf"


def _keys(run: Run, home: Environment) -> list[str]:
    known = {key.rpartition("/")[2] for key in run.history.keys | home.keys}
    return [f"arn:aws:kms:us-east-1:{home.account}:key/{key}" for key in (*sorted(known), _ANY_KEY)]


def _exact(statement: Statement) -> bool:
    """Whether every secret of ours and every key of a statement is named by its whole ARN."""
    for target in [each for each in statement.resources if isinstance(each, str)]:
        reference = parse_secret_reference(target)
        whole = reference is not None and reference.has_suffix and not set("*?") & set(target)
        if statement.not_resources or not (whole or _KEY.fullmatch(target)):
            return False
    return True


def _check_document(view: PolicyView, path: str, run: Run, report: Report) -> None:
    home = run.home
    report.not_evaluated(path, view.unseen)
    for place, marker in view.hidden((*_READS, *_CHANGES, *_OPENS, *_KEY_CHANGES)):
        report.not_evaluated(place, marker)
    if home is None:
        return
    roles = [None, *home.readers] if isinstance(view.role, Marker) else [view.role]
    found = [dict.fromkeys(_problems(view, role, run, home)) for role in roles]
    for message in found[0] if all(found) else ():
        report.finding(message)
    if any(found) and not all(found):
        report.not_evaluated("role", view.role)


def _problems(view: PolicyView, role: str | None, run: Run, home: Environment) -> Iterator[str]:
    readable = home.readers.get(role or "", frozenset())
    reads, changes = view.mentions(_READS), view.mentions(_CHANGES)
    opens, key_changes = view.mentions(_OPENS), view.mentions(_KEY_CHANGES)
    for name, arn in _secret_arns(home) if reads or changes else ():
        for action in reads:
            found = view.allowing(action, arn)
            if found is not None and (name not in readable or action != _READS[0]):
                yield f"{found.path}: lets read {name}, whose readers the law names."
            elif found is not None and not _exact(found):
                yield f"{found.path}: a read grant names each secret by its whole ARN."
        for action in changes:
            found = view.allowing(action, arn)
            if found is not None:
                yield f"{found.path}: allows {action} on {name}; only the program changes a secret of ours."
    for key in _keys(run, home) if opens or key_changes else ():
        for action in opens:
            found = view.allowing(action, key)
            if found is not None and not (readable and action == _OPENS[0] and _exact(found)):
                yield f"{found.path}: allows {action} with the key of our secrets, or with every key."
        for action in key_changes:
            found = view.allowing(action, key)
            if found is not None:
                yield f"{found.path}: allows {action} on the key of our secrets, or on every key."


def _check_attachments(resource: Resource, run: Run, report: Report) -> None:
    home = run.home
    listed = resource.props.get("roles")
    roles = listed.copy() if isinstance(listed, list) else []
    keys = ("name",) if resource.type == ROLE else ("role", "roleName")
    roles += [resource.props.get(key) for key in keys]
    ours = home is not None and any(str(each).rpartition("/")[2] in home.iam_roles for each in roles)
    if ours and resource.type == _INLINE_EXCLUSIVE:
        report.finding("policyNames: takes the grants that the program writes off a role of ours.")
    for path, arn in _listed(resource, "policyArn", "managedPolicyArn", "policyArns", "managedPolicyArns"):
        _check_attachment(arn, path, ours, run, report)


def _listed(resource: Resource, *keys: str) -> Iterator[tuple[str, Value]]:
    """What is under these keys with its path, lists by entry."""
    for key in keys:
        value = resource.props.get(key)
        for index, each in enumerate(value if isinstance(value, list) else [value]):
            yield (f"{key}[{index}]" if isinstance(value, list) else key), each


def _check_attachment(arn: Value, path: str, ours: bool, run: Run, report: Report) -> None:  # noqa: FBT001
    report.not_evaluated(path, arn)
    managed = _MANAGED.fullmatch(arn) if isinstance(arn, str) else None
    if managed is None:
        return
    if managed["account"] == "aws":
        if _WIDE.search(managed["name"]) or (ours and managed["name"] not in _HARMLESS):
            report.finding(
                f"{path}: this policy of AWS reads secrets or changes who may; write the grant out."
            )
    elif ours and managed["path"] not in run.history.policies:
        report.finding(f"{path}: a policy that this stack does not declare, so its grants are not seen.")


def _check_key(resource: Resource, run: Run, report: Report) -> None:
    """A grant or a policy on the key of our secrets: nobody but the account itself and the law's readers."""
    home = run.home
    path = "primaryKeyArn" if resource.type == REPLICA_KEY else "keyId"
    key = Reader(resource.props).text(path)
    report.not_evaluated(path, key)
    if home is None or not isinstance(key, str):
        return
    known = {each.rpartition("/")[2] for each in run.history.keys | home.keys} | {home.key_alias}
    if key.rpartition("/")[2] not in known and not key.endswith(home.key_alias):
        return
    if resource.type == REPLICA_KEY:
        report.finding("primaryKeyArn: copies our key to a region where no rule sees its use.")
        return
    if resource.type == KEY_GRANT:
        operations = Reader(resource.props).texts("operations")
        if not report.hides(operations, "operations") and set(operations or ()) != {"DescribeKey"}:
            report.finding("operations: a grant on our key opens every secret; write Decrypt into the role.")
        return
    view = resource.read(policy_view)
    report.not_evaluated("policy", view.unseen)
    allowed = {
        f"arn:aws:iam::{home.account}:root",
        *(f"arn:aws:iam::{home.account}:role/{each}" for each in home.readers),
    }
    for statement in view.statements:
        if statement.allows and set(statement.principals) - allowed:
            report.finding(
                f"{statement.path}: the key's policy admits others than the account and the law's readers."
            )


def check_readers(resource: Resource, run: Run, report: Report) -> None:
    """Judges every place that can grant reading a secret of ours; grants on other teams' secrets are not ours."""
    if resource.type in _OF_KEYS:
        _check_key(resource, run, report)
    elif resource.type == SECRET_POLICY:
        secret = Reader(resource.props).text("secretArn", "secretId")
        view = resource.read(own_policy_view)
        report.not_evaluated("secretArn", secret)
        if run.secret_ours(secret):
            report.not_evaluated("policy", view.unseen)
            for statement in view.statements:
                report.finding(f"{statement.path}: the secret itself grants; the execution role has to.")
    elif resource.type in DOCUMENTS:
        _check_document(resource.read(policy_view), "policy", run, report)
    elif resource.type == ROLE:
        for view in resource.read(inline_views):
            _check_document(view, "inlinePolicies", run, report)
        _check_attachments(resource, run, report)
    else:
        _check_attachments(resource, run, report)


def check_stack(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """The key of our secrets, and the policies that a reference may name, are known once all are registered."""
    pairs = [pair for resource in resources for pair in resource.read(parts)]
    for _, part in pairs:
        if part.type == MANAGED_POLICY or run.secret_ours(str(part.props.get("name"))):
            run.history.record(part)
    for about, part in pairs:
        report.on(about)
        if part.type in (*_OF_KEYS, *DOCUMENTS):
            check_readers(part, run, report)
        elif part.type in (*_ATTACHMENTS, ROLE) and run.home is not None:
            _check_references(part, run, report)


def _check_references(resource: Resource, run: Run, report: Report) -> None:
    """A permission set may name a policy of its account: one of this stack's was judged, another one is not seen."""
    for path, each in _listed(resource, "customerManagedPolicyReference", "customerManagedPolicyReferences"):
        report.not_evaluated(path, each)
        reference = Reader(each if isinstance(each, dict) else {}, path)
        name = reference.text("name")
        if name is not None and f"{reference.text('path') or '/'}{name}" not in run.history.policies:
            report.not_evaluated(reference.path("name"), UNKNOWN)


SECRET_READERS = documented(
    "secret-readers",
    *DOCUMENTS,
    *_ATTACHMENTS,
    ROLE,
    SECRET_POLICY,
    _INLINE_EXCLUSIVE,
    *_OF_KEYS,
    check=check_readers,
    check_stack=check_stack,
)
