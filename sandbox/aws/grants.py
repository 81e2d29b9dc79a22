"""Decides who may read which secret, from moto's IAM, KMS and Secrets Manager data.

A read needs `secretsmanager:GetSecretValue` on the secret and `kms:Decrypt` on its key, from the caller's policies
and the key's (Secrets Manager user guide, "Permissions to use the KMS key").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sts.models import sts_backends

from sandbox.aws.policy import Attempt, Decision, Policy, decide, decide_with_matches, missing_context

_READ = "secretsmanager:GetSecretValue"
_DECRYPT = "kms:Decrypt"
# The key that AWS itself manages decrypts for whoever of the account may read the secret.
_MANAGED_KEY = (None, "", "alias/aws/secretsmanager")


class AwsRefusal(Exception):
    """An error of AWS: its code, its message in AWS's words, its HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> AwsRefusal:
    """Return the refusal of a parameter's value."""
    return AwsRefusal("InvalidParameterException", message)


def no_such_secret() -> AwsRefusal:
    """Return what Secrets Manager says of a secret that is not there."""
    return AwsRefusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


def deleted_secret() -> AwsRefusal:
    """Return what Secrets Manager says of a secret in its recovery window."""
    return AwsRefusal(
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )


@dataclass(frozen=True)
class Caller:
    """Who signed a request: the role that was assumed, and the session's ARN that errors name."""

    account: str
    role_arn: str
    session_arn: str

    @property
    def principals(self) -> frozenset[str]:
        """Every way in which a policy may name this caller; the account's root means all of its identities."""
        root = f"arn:aws:iam::{self.account}:root"
        return frozenset({self.account, root, self.role_arn, self.session_arn})

    @classmethod
    def of_role(cls, role_arn: str, session: str) -> "Caller":
        """Return the caller that a service becomes when it takes on a role."""
        account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        return cls(account, role_arn, f"arn:aws:sts::{account}:assumed-role/{name}/{session}")


def caller_of(access_key_id: str) -> Caller | None:
    """Return who holds this access key, or None for a key that this sandbox never issued."""
    for account, partitions in list(sts_backends.items()):
        for session in list(partitions["aws"].assumed_roles):
            if session.access_key_id == access_key_id:
                return Caller(account, session.role_arn, session.arn)
    return None


def role_policies(role_arn: str) -> tuple[Policy, ...] | None:
    """Return a role's inline and attached policies, or None when there is no such role."""
    role = _role(role_arn)
    if role is None:
        return None
    inline = [Policy.parse(name, document) for name, document in role.policies.items()]
    attached = [Policy.parse(p.name, p.document) for p in role.managed_policies.values()]
    return (*inline, *attached)


def check_assume(caller: Caller, role_arn: str) -> None:
    """Raise `AwsRefusal` unless the role exists and its trust policy names the caller."""
    role = _role(role_arn)
    trust = Policy.parse("trust", role.assume_role_policy_document) if role is not None else None
    attempt = Attempt("sts:AssumeRole", role_arn, caller.principals)
    if trust is None or decide([trust], attempt) is not Decision.ALLOWED:
        raise AwsRefusal(
            "AccessDenied",
            f"User: {caller.session_arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            403,
        )


def check_read(caller: Caller, secret: Any, version_id: str | None = None) -> None:
    """Raise `AwsRefusal`, worded as AWS words it, unless the caller may read and decrypt this secret."""
    region = secret.arn.split(":")[3]
    policies = role_policies(caller.role_arn) or ()
    context = {"secretsmanager:SecretId": secret.arn, "aws:PrincipalArn": caller.role_arn}
    context["aws:RequestedRegion"] = region
    if version_id:
        context["secretsmanager:VersionId"] = version_id
    by_identity = decide(policies, Attempt(_READ, secret.arn, context=context))
    by_resource = Decision.IMPLICIT_DENY
    if secret.policy:
        attempt = Attempt(_READ, secret.arn, caller.principals, context)
        by_resource = decide([Policy.parse("resource", secret.policy)], attempt)
    same_account = secret.arn.split(":")[4] == caller.account
    if not _granted(by_identity, by_resource, same_account=same_account):
        raise AwsRefusal("AccessDeniedException", _refused(caller, secret.arn, by_identity, by_resource))
    if secret.kms_key_id not in _MANAGED_KEY and not _may_decrypt(caller, policies, secret, region):
        raise AwsRefusal("AccessDeniedException", "Access to KMS is not allowed")


def simulate(
    role_arn: str, actions: list[str], resources: list[str], context: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Answer `iam:SimulatePrincipalPolicy` from a role's stored policies. Raises `AwsRefusal` for no such role."""
    policies = role_policies(role_arn)
    if policies is None:
        name = role_arn.rpartition("/")[2]
        raise AwsRefusal("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    results = []
    for action in actions:
        for resource in resources or ["*"]:
            attempt = Attempt(action, resource, context=context)
            decision, names = decide_with_matches(policies, attempt)
            matched = [{"SourcePolicyId": name, "SourcePolicyType": "IAM Policy"} for name in names]
            results.append(
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": decision.value,
                    "MatchedStatements": matched,
                    "MissingContextValues": list(missing_context(policies, attempt)),
                }
            )
    return results


def find_secret(arn: str) -> Any | None:
    """Return moto's secret of a full ARN, or None."""
    match = re.fullmatch(r"arn:aws:secretsmanager:([a-z0-9-]+):(\d{12}):secret:.+", arn)
    if match is None:
        return None
    secrets = secretsmanager_backends[match[2]][match[1]].secrets
    return next((secret for secret in dict.values(secrets) if secret.arn == arn), None)


def _role(role_arn: str) -> Any | None:
    match = re.fullmatch(r"arn:aws:iam::(\d{12}):role/(?:.*/)?([^/]+)", role_arn)
    if match is None:
        return None
    roles = iam_backends[match[1]]["aws"].roles.values()
    return next((role for role in list(roles) if role.name == match[2]), None)


def _granted(identity: Decision, resource: Decision, *, same_account: bool) -> bool:
    if Decision.EXPLICIT_DENY in (identity, resource):
        return False
    allowed = [decision is Decision.ALLOWED for decision in (identity, resource)]
    return any(allowed) if same_account else all(allowed)


def _refused(caller: Caller, arn: str, identity: Decision, resource: Decision) -> str:
    if identity is Decision.EXPLICIT_DENY:
        why = "with an explicit deny in an identity-based policy"
    elif resource is Decision.EXPLICIT_DENY:
        why = "with an explicit deny in a resource-based policy"
    else:
        why = f"because no identity-based policy allows the {_READ} action"
    return f"User: {caller.session_arn} is not authorized to perform: {_READ} on resource: {arn} {why}"


def _may_decrypt(caller: Caller, policies: tuple[Policy, ...], secret: Any, region: str) -> bool:
    key = _key(str(secret.kms_key_id), secret.arn.split(":")[4], region)
    if key is None or not key.enabled or key.key_state != "Enabled":
        return False
    if any(
        grant.grantee_principal in caller.principals and "Decrypt" in grant.operations
        for grant in key.grants.values()
    ):
        return True
    context = {
        "kms:ViaService": f"secretsmanager.{region}.amazonaws.com",
        "kms:CallerAccount": caller.account,
        "kms:EncryptionContext:SecretARN": secret.arn,
        "aws:PrincipalArn": caller.role_arn,
    }
    by_identity = decide(policies, Attempt(_DECRYPT, key.arn, context=context))
    key_policy = Policy.parse("key", key.policy)
    by_key = decide([key_policy], Attempt(_DECRYPT, key.arn, caller.principals, context))
    if Decision.EXPLICIT_DENY in (by_identity, by_key) or by_key is not Decision.ALLOWED:
        return False
    # A key policy that names the account's root hands the decision to IAM; one that names the role suffices.
    direct = caller.principals - {caller.account, f"arn:aws:iam::{caller.account}:root"}
    named = decide([key_policy], Attempt(_DECRYPT, key.arn, direct, context)) is Decision.ALLOWED
    return by_identity is Decision.ALLOWED or (named and key.account_id == caller.account)


def _key(key_id: str, account: str, region: str) -> Any | None:
    """Return the key that an id, an alias or an ARN names; an ARN may name another account's."""
    if key_id.startswith("arn:"):
        account, region = key_id.split(":")[4], key_id.split(":")[3]
    backend = kms_backends[account][region]
    name = key_id.rpartition(":")[2]
    if name.startswith("alias/"):
        return next((key for key in backend.keys.values() if name in key.aliases), None)
    return backend.keys.get(name.removeprefix("key/"))
