"""Who may read a secret of ours: the law's roles, by exact ARN, and nobody by becoming or changing one of them."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from policy.iam import PolicyView, Statement, inline_views, matches, own_policy_view, policy_view, trust_view
from policy.law import Environment
from policy.model import rule
from policy.parts import parts
from policy.reader import Reader
from policy.report import Report, printable
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
from policy.values import OUTSIDE, Marker, Value, inside

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
_ANY = "00000000-0000-0000-0000-000000000000"
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
_OF_IAM = ("RolePolicyAttachment", "UserPolicyAttachment", "GroupPolicyAttachment", "PolicyAttachment")
_ATTACHMENTS = (
    *_tokens("aws:ssoadmin", "ManagedPolicyAttachment", "ManagedPolicyAttachmentsExclusive"),
    *_tokens("aws:iam", *_OF_IAM, *(f"{kind}sExclusive" for kind in _OF_IAM)),
)
_OF_KEYS = (KEY, KEY_GRANT, KEY_POLICY, REPLICA_KEY)
_INLINE_EXCLUSIVE = "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive"


def _secret_arns(home: Environment) -> Iterator[tuple[str, str]]:
    for name in (*home.secrets, *home.legacy_secrets):
        yield name, f"arn:aws:secretsmanager:us-east-1:{home.account}:secret:{name}-AbCdEf"


def _keys(run: Run, home: Environment) -> list[str]:
    known = {key.rpartition("/")[2] for key in run.history.keys | home.keys}
    return [f"arn:aws:kms:us-east-1:{home.account}:key/{key}" for key in (*sorted(known), _ANY)]


def _exact(statement: Statement) -> bool:
    """Whether every secret of ours and every key of a statement is named by its whole ARN."""
    for target in [each for each in statement.resources if isinstance(each, str)]:
        reference = parse_secret_reference(target)
        whole = reference is not None and reference.has_suffix and not set("*?") & set(target)
        if statement.not_resources or not (whole or _KEY.fullmatch(target)):
            return False
    return True


def _views(resource: Resource, actions: Sequence[str], report: Report) -> tuple[PolicyView, ...]:
    """The documents of a role or a policy, and what in them may allow these actions and cannot be seen."""
    of_role = resource.type == ROLE
    views = resource.read(inline_views) if of_role else (resource.read(policy_view),)
    for view in views:
        report.not_evaluated("inlinePolicies" if of_role else "policy", view.unseen)
        for place, marker in view.hidden(actions):
            report.not_evaluated(place, marker)
    return views


def _check_document(view: PolicyView, run: Run, home: Environment, report: Report) -> None:
    for given in view.roles:
        whole = not isinstance(given, Marker) and "*" not in (given or "")
        roles = [given] if isinstance(given, str) and whole else [None, *(() if whole else home.readers)]
        found = [dict.fromkeys(_problems(view, role, run, home)) for role in roles]
        for message in found[0] if all(found) else ():
            report.finding(message)
        if any(found) and not all(found):
            report.not_evaluated("role", given if isinstance(given, Marker) else OUTSIDE)


def _problems(view: PolicyView, role: str | None, run: Run, home: Environment) -> Iterator[str]:
    readable = home.readers.get(role or "", frozenset())
    reads, changes = view.mentions(_READS), view.mentions(_CHANGES)
    opens, key_changes = view.mentions(_OPENS), view.mentions(_KEY_CHANGES)
    for name, arn in _secret_arns(home) if reads or changes else ():
        for action, found in view.granted(reads, arn):
            if name not in readable or action != _READS[0]:
                yield f"{found.path}: lets read {name}, whose readers the law names."
            elif not _exact(found):
                yield f"{found.path}: a read grant names each secret by its whole ARN."
        for action, found in view.granted(changes, arn):
            yield f"{found.path}: allows {action} on secrets of ours; only the program changes them."
    for key in _keys(run, home) if opens or key_changes else ():
        for action, found in view.granted(opens, key):
            if not (readable and action == _OPENS[0] and _exact(found)):
                yield f"{found.path}: allows {action} with the key of our secrets, or with every key."
        for action, found in view.granted(key_changes, key):
            yield f"{found.path}: allows {action} on the key of our secrets, or on every key."


def _check_attachments(resource: Resource, run: Run, report: Report) -> None:
    home = run.home
    named = ("name",) if resource.type == ROLE else ("role", "roleName", "roles")
    roles = [each for _, each in inside({key: resource.props.get(key) for key in named})]
    ours = home is not None and any(str(each).rpartition("/")[2] in home.iam_roles for each in roles)
    if ours and resource.type == _INLINE_EXCLUSIVE:
        report.finding("policyNames: takes the grants that the program writes off a role of ours.")
    keys = ("policyArn", "managedPolicyArn", "policyArns", "managedPolicyArns")
    for path, arn in inside({key: resource.props.get(key) for key in keys}):
        _check_attachment(arn, path, ours, run, report)


def _check_attachment(arn: Value, path: str, ours: bool, run: Run, report: Report) -> None:  # noqa: FBT001
    report.not_evaluated(path, arn)
    managed = _MANAGED.fullmatch(arn) if isinstance(arn, str) else None
    if managed is None:
        return
    if managed["account"] == "aws":
        if _WIDE.search(managed["name"]) or (ours and managed["name"] not in _HARMLESS):
            report.finding(f"{path}: this policy of AWS reads secrets or changes who may; write it out.")
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
        operations = Reader(resource.props).texts("operations") or ()
        for each in operations:
            report.not_evaluated("operations", each)
        if set(operations) - {"DescribeKey", *Marker}:
            report.finding("operations: a grant on our key opens every secret; write Decrypt into the role.")
        return
    view = resource.read(policy_view)
    report.not_evaluated("policy", view.unseen)
    readers = {f"arn:aws:iam::{home.account}:role/{each}" for each in home.readers}
    for statement in view.statements:
        report.not_evaluated(statement.path, statement.hidden if statement.allows else None)
        others = set(statement.principals) - {home.account, f"arn:aws:iam::{home.account}:root"}
        more = any(map(statement.covers_action, (*_OPENS[1:], *_KEY_CHANGES)))
        if statement.allows and (others if more else others - readers) - set(Marker):
            report.finding(
                f"{statement.path}: the key's policy lets others than the account use or change the key, "
                "or the law's readers more than decrypt."
            )


@rule("secret-readers", *DOCUMENTS, *_ATTACHMENTS, ROLE, SECRET_POLICY, _INLINE_EXCLUSIVE, *_OF_KEYS)
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
    elif resource.type in (*DOCUMENTS, ROLE):
        for view in _views(resource, (*_READS, *_CHANGES, *_OPENS, *_KEY_CHANGES), report):
            if run.home is not None:
                _check_document(view, run, run.home, report)
    if resource.type in (*_ATTACHMENTS, _INLINE_EXCLUSIVE, ROLE):
        _check_attachments(resource, run, report)


@rule("secret-readers", whole_stack=True)
def check_stack(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """The key of our secrets is known once all are registered."""
    pairs = [pair for resource in resources for pair in resource.read(parts)]
    for _, part in pairs:
        if run.secret_ours(str(part.props.get("name"))):
            run.history.record(part)
    for about, part in pairs:
        report.on(about)
        if part.type in (*_OF_KEYS, *DOCUMENTS):
            check_readers(part, run, report)


_BECOMES = (
    *("sts:AssumeRole", "iam:PassRole", "iam:UpdateAssumeRolePolicy"),
    *("iam:PutRolePolicy", "iam:AttachRolePolicy"),
    *("iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:DeleteRole"),
)
_ELEVATES = {
    "policy": ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
    "user": ("iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:CreateLoginProfile"),
    "group": ("iam:PutGroupPolicy", "iam:AttachGroupPolicy", "iam:AddUserToGroup"),
    "permissionSet": ("sso:PutInlinePolicyToPermissionSet", "sso:AttachManagedPolicyToPermissionSet"),
}
"""What gives its holder any grant, if it is allowed on everything of a kind."""
_TASKS = "ecs-tasks.amazonaws.com"


@rule("reader-roles", *DOCUMENTS, ROLE)
def check_detours(resource: Resource, run: Run, report: Report) -> None:
    """Nobody but ECS becomes a role of ours, and nobody is given the means to."""
    home = run.own
    for view in _views(resource, (*_BECOMES, *chain(*_ELEVATES.values())), report):
        for message in dict.fromkeys(_detours(view, home)):
            report.finding(message)
    if resource.type == ROLE:
        _check_trust(resource, home, report)


def _detours(view: PolicyView, home: Environment) -> Iterator[str]:
    actions = view.mentions(_BECOMES)
    for role in sorted(home.iam_roles) if actions else ():
        for action, found in view.granted(actions, f"arn:aws:iam::{home.account}:role/{role}"):
            yield f"{found.path}: allows {action} on {role}, which reads secrets of ours."
    for kind, raising in _ELEVATES.items():
        of_iam = f"arn:aws:iam::{home.account}:{kind}/{_ANY}"
        arn = of_iam if kind != "permissionSet" else f"arn:aws:sso:::{kind}/ssoins-{_ANY}/ps-{_ANY}"
        for action, found in view.granted(view.mentions(raising), arn):
            yield f"{found.path}: allows {action} on every {kind}: its holder can grant itself our secrets."


def _check_trust(resource: Resource, home: Environment, report: Report) -> None:
    name = resource.props.get("name")
    if not isinstance(name, Marker) and not any(matches(str(name), each) for each in home.iam_roles):
        return
    name = OUTSIDE if "*" in str(name) else name
    view = resource.read(trust_view)
    report.not_evaluated("assumeRolePolicy", view.unseen)
    for statement in view.statements:
        if not statement.allows:
            continue
        if statement.hidden is not None:
            report.not_evaluated("assumeRolePolicy", statement.hidden)
        elif set(statement.principals) != {_TASKS} and not report.hides(name, "name"):
            report.finding(printable(f"assumeRolePolicy: lets others than {_TASKS} become {name}."))
