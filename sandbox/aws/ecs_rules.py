"""ECS's validation of requests (names, counts, networks) and its pagination; changes nothing.

Rules: ECS API reference (CreateService, UpdateService, RunTask, ListServiceDeployments) and service quotas.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from moto.ec2 import ec2_backends
from moto.ec2.exceptions import InvalidSubnetIdError

from sandbox.aws.grants import invalid

MOST_DESCRIBED = 20
NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_MOST_DESIRED = 5000
MOST_RUN = 10
_PAGES = (1, 100)
_WHOLE = 100
DEPLOYMENT: Mapping[str, Any] = {
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
}
"""How a service deploys that does not say how."""


def check_desired(count: int | None) -> None:
    """Raise `AwsRefusal` for a number of tasks that no service has."""
    if count is not None and count < 0:
        raise invalid("Desired count cannot be negative.")
    if count is not None and count > _MOST_DESIRED:
        raise invalid("Desired count exceeds limit.")


def check_offered(asked: Mapping[str, Any]) -> None:
    """Raise `AwsRefusal` for a kind of service or task that ECS has and the sandbox has not."""
    if asked.get("deploymentController", {"type": "ECS"})["type"] != "ECS":
        raise invalid("The sandbox offers the deployment controller ECS only.")
    if asked.get("launchType", "FARGATE") != "FARGATE":
        raise invalid("The sandbox runs tasks on FARGATE only.")
    if asked.get("schedulingStrategy", "REPLICA") != "REPLICA":
        raise invalid("The sandbox offers the scheduling strategy REPLICA only.")


def deployment_of(kept: Mapping[str, Any], asked: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a deployment configuration of its own, changed as asked. Raises `AwsRefusal` for what none can be."""
    changed = {**kept, **(asked or {})}
    least, most = changed["minimumHealthyPercent"], changed["maximumPercent"]
    if not 0 <= least <= _WHOLE:
        raise invalid(f"minimumHealthyPercent must be between 0 and {_WHOLE}.")
    if most < _WHOLE:
        raise invalid(f"maximumPercent must be greater than or equal to {_WHOLE}.")
    if least == most:
        raise invalid(
            f"Both maximumPercent and minimumHealthyPercent cannot be {_WHOLE} as this will block deployments."
        )
    return changed


def network_of(backend: Any, definition: Any, asked: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the network in which tasks of a definition start. Raises `AwsRefusal` for one in which none could."""
    if definition.network_mode != "awsvpc":
        return dict(asked) if asked else None
    given = (asked or {}).get("awsvpcConfiguration")
    if given is None:
        raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if not given["subnets"]:
        raise invalid("subnets can not be empty.")
    for subnet in given["subnets"]:
        try:
            ec2_backends[backend.account_id][backend.region_name].get_subnet(subnet)
        except InvalidSubnetIdError:
            raise invalid(
                f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not exist "
                "(ErrorCode: InvalidSubnetID.NotFound)"
            ) from None
    return {"awsvpcConfiguration": {"securityGroups": [], "assignPublicIp": "DISABLED", **given}}


def page(arns: Sequence[str], asked: Mapping[str, Any], usual: int) -> tuple[Sequence[str], str | None]:
    """Return the page that is asked for, and the token of the next: the ARN with which that one begins."""
    size, token = asked.get("maxResults", usual), asked.get("nextToken")
    if not _PAGES[0] <= size <= _PAGES[1]:
        raise invalid(f"maxResults must be between {_PAGES[0]} and {_PAGES[1]}.")
    if token is not None and token not in arns:
        raise invalid("Invalid token.")
    rest = arns[arns.index(token) if token else 0 :]
    return rest[:size], rest[size] if len(rest) > size else None
