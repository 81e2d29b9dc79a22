"""The resource type aws:iam/rolePolicy:RolePolicy: an inline policy of a role, given as JSON text."""

import json
from typing import Final

from sandbox.engine.values import UNKNOWN, Properties, Value
from sandbox.providers.aws_session import AwsSession, aws_errors
from sandbox.providers.errors import ProviderError
from sandbox.providers.resource import Failure, Found, Property, ResourceType


def _same_policy(old: Value, new: Value, _: Properties) -> bool:
    """Whether two JSON policies are equal but for spacing and key order."""
    try:
        return bool(json.loads(old) == json.loads(new))
    except (TypeError, ValueError):
        return bool(old == new)


def _validate(inputs: Properties) -> list[Failure]:
    policy = inputs["policy"]
    try:
        valid = policy is UNKNOWN or isinstance(json.loads(policy), dict)
    except (TypeError, ValueError):
        valid = False
    return [] if valid else [Failure("policy", '"policy" contains an invalid JSON policy')]


def _put(session: AwsSession, role: str, name: str, inputs: Properties) -> Properties:
    with aws_errors(f"putting IAM Role ({role}) Policy ({name})"):
        session.client("iam", {}).put_role_policy(
            RoleName=role, PolicyName=name, PolicyDocument=inputs["policy"]
        )
    return {"name": name, "namePrefix": "", "policy": inputs["policy"], "role": role}


def _create(session: AwsSession, inputs: Properties) -> Found:
    role, name = inputs["role"], inputs["name"]
    return Found(f"{role}:{name}", _put(session, role, name, inputs))


def _split(identity: str) -> tuple[str, str]:
    role, _, name = identity.partition(":")
    if not role or not name:
        raise ProviderError(f"unexpected format of ID ({identity}), expected role_name:role_policy_name")
    return role, name


def _read(session: AwsSession, identity: str, known: Properties) -> Found | None:
    role, name = _split(identity)
    document: object = None
    with aws_errors(f"reading IAM Role Policy ({identity})", "NoSuchEntity"):
        document = session.client("iam", {}).get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    if document is None:
        return None
    policy = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
    held = known.get("policy")
    policy = held if held is not None and _same_policy(held, policy, {}) else policy
    return Found(identity, {"name": name, "namePrefix": "", "policy": policy, "role": role})


def _update(session: AwsSession, identity: str, _old: Properties, inputs: Properties) -> Properties:
    return _put(session, *_split(identity), inputs)


def _delete(session: AwsSession, identity: str, _state: Properties) -> None:
    role, name = _split(identity)
    with aws_errors(f"deleting IAM Role Policy ({identity})", "NoSuchEntity"):
        session.client("iam", {}).delete_role_policy(RoleName=role, PolicyName=name)


ROLE_POLICY: Final = ResourceType[AwsSession](
    token="aws:iam/rolePolicy:RolePolicy",  # noqa: S106 - a type token
    properties=(
        Property("name", required=True, replaces=True),
        Property("namePrefix", output_only=True),
        Property("policy", required=True, equivalent=_same_policy),
        Property("role", required=True, replaces=True),
    ),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    unique="name",
    validate=_validate,
)
