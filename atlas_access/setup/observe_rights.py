"""Asks IAM to simulate the rights of the credentials at hand on the resources of one stack. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from atlas_access.base import Endpoints, Settings
from atlas_access.clients import (
    AwsUnavailable,
    caller_arn,
    client,
    describe_definition,
    describe_service,
    key_behind,
    log_groups,
    stored_secret,
)
from atlas_access.manifest import Manifest
from atlas_access.setup.rights import Decisions, Resources, Right

_BATCH = 20
"""How many resources are simulated at once."""


def simulated(
    needed: Sequence[Right], resources: Resources, region: str, endpoints: Endpoints
) -> tuple[Decisions, str]:
    """IAM's decision by action and resource, and why there is none, "" where IAM was asked."""
    iam = client("iam", region, endpoints)
    decisions: dict[tuple[str, str], str] = {}
    try:
        caller = principal_of(caller_arn(region=region, endpoints=endpoints), iam)
        for on, arns in resources.items():
            actions = list(dict.fromkeys(each.action for each in needed if each.on == on))
            for start in range(0, 0 if isinstance(arns, str) else len(arns), _BATCH):
                some = list(arns[start : start + _BATCH])
                answer = iam.simulate_principal_policy(
                    PolicySourceArn=caller,
                    ActionNames=actions,
                    ResourceArns=some,
                    ContextEntries=[_via_secrets(region)],
                    MaxItems=1000,
                )
                for each in answer.get("EvaluationResults", ()):
                    missing = ", ".join(each.get("MissingContextValues") or ())
                    decision = f"missing {missing}" if missing else str(each["EvalDecision"])
                    decisions[str(each["EvalActionName"]), str(each["EvalResourceName"])] = decision
    except AwsUnavailable as error:
        return {}, str(error)
    return decisions, ""


def _via_secrets(region: str) -> dict[str, object]:
    """The context in which the key is used: Secrets Manager asks it for the caller."""
    service = f"secretsmanager.{region}.amazonaws.com"
    return {"ContextKeyName": "kms:ViaService", "ContextKeyValues": [service], "ContextKeyType": "string"}


def principal_of(arn: str, iam: Any) -> str:
    """The user or role behind the ARN of a caller; a session's ARN lacks the role's path. Raises `AwsUnavailable`."""
    if ":assumed-role/" not in arn:
        if arn.endswith(":root"):
            raise AwsUnavailable("simulating the caller", "the account's root has no policies to simulate")
        return arn
    name = arn.split("/")[1]
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def resources_of(
    stack: str,
    manifest: Manifest,
    settings: Mapping[str, Settings],
    endpoints: Endpoints,
    alarms: Sequence[str],
    mail: str,
) -> Resources:
    """What the rights are needed on, by the words of rights.txt. `mail` is gate 8's log group of mail events."""
    own = settings[stack]
    region, account = own.aws_region, own.aws_account_id

    def arn(service: str, rest: str) -> str:
        return f"arn:aws:{service}:{region}:{account}:{rest}"

    def secret(name: str) -> str:
        found = stored_secret(name, region=region, endpoints=endpoints)
        return arn("secretsmanager", f"secret:{name}-AAAAAA") if found is None else found.arn

    ecs = client("ecs", region, endpoints)
    names = dict.fromkeys(each.secret_name for each in manifest.credentials_for(stack))
    service = _known(lambda: _service(ecs, own))
    run = service if isinstance(service, str) else _known(lambda: [_definition(ecs, service[0])])
    schema = _known(lambda: [describe_definition(ecs, own.schema_family)] if own.schema_family else [])
    proof = own.proof_task_family
    proven = _known(lambda: [describe_definition(ecs, proof)] if proof else [])
    both = run if isinstance(run, str) else schema if isinstance(schema, str) else [*run, *schema]
    execution = _each(both, lambda it: [str(it.get("executionRoleArn") or "")])
    groups = _each(run, lambda it: [arn("logs", f"log-group:{name}:*") for name in log_groups(it)])
    posted = [arn("logs", f"log-group:{mail}:*")] if mail else []
    return {
        "secrets": _known(lambda: [secret(name) for name in names]),
        "anything": ["*"],
        "key": _known(lambda: [key_behind(own.kms_alias, region=region, endpoints=endpoints).arn]),
        "execution roles": execution,
        "roles": _each(both, _roles),
        "families": _each(both, lambda it: [arn("ecs", f"task-definition/{it['family']}:*")]),
        "service": _each(service, lambda it: [str(it["serviceArn"])]),
        "tasks": [arn("ecs", f"task/{own.ecs_cluster}/*")],
        "proof family": [arn("ecs", f"task-definition/{proof}:*")] if proof else [],
        "proof tasks": [arn("ecs", f"task/{own.ecs_cluster}/*")] if proof else [],
        "proof roles": _each(proven, _roles),
        "proof log group": _each(
            proven, lambda it: [arn("logs", f"log-group:{name}:*") for name in log_groups(it)]
        ),
        "log groups": groups if isinstance(groups, str) else [*groups, *posted],
        "alarms": ["*"] if alarms else [],
        "other roles": _other_roles(own, settings),
    }


def _service(ecs: Any, own: Settings) -> list[Mapping[str, Any]]:
    found = describe_service(ecs, own.ecs_cluster, own.ecs_service)
    if found is None:
        raise AwsUnavailable(f"describing {own.ecs_service}", "no such service")
    return [found]


def _definition(ecs: Any, service: Mapping[str, Any]) -> Mapping[str, Any]:
    return describe_definition(ecs, str(service["taskDefinition"]))


def _known(read: Callable[[], list[Any]]) -> list[Any] | str:
    try:
        return read()
    except AwsUnavailable as error:
        return f"on what is unknown ({error})"


def _each(found: list[Any] | str, read: Callable[[Any], list[str]]) -> list[str] | str:
    if isinstance(found, str):
        return found
    return [arn for arn in dict.fromkeys(arn for each in found for arn in read(each)) if arn]


def _roles(definition: Mapping[str, Any]) -> list[str]:
    return [str(definition.get(name) or "") for name in ("executionRoleArn", "taskRoleArn")]


def _other_roles(own: Settings, settings: Mapping[str, Settings]) -> list[str]:
    """The roles that this stack looks into other accounts by."""
    soak = [(own.soak_role, settings[own.goes_after])] if own.goes_after in settings else []
    others = [(own.looks_as, each) for each in settings.values()]
    named = {
        f"arn:aws:iam::{each.aws_account_id}:role/{role}"
        for role, each in (*soak, *others)
        if role and each.aws_account_id != own.aws_account_id
    }
    return sorted(named)
