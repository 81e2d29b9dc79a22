"""How ECS deploys a service, and why a rollout cannot follow it. Pure.

A rollout follows the controller ECS with the strategy ROLLING, with or without deployment alarms: any other moves
traffic by rules of its own, and its deployment may never be COMPLETED. What ECS leaves out has its documented default;
a value that is unknown here is refused, never taken for the default (AWS ECS API, DeploymentController and
DeploymentConfiguration).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONTROLLER, STRATEGY = "ECS", "ROLLING"
_CONTROLLERS = (CONTROLLER, "CODE_DEPLOY", "EXTERNAL")
_STRATEGIES = (STRATEGY, "BLUE_GREEN", "LINEAR", "CANARY")


def unsupported(service: Mapping[str, Any]) -> str:
    """What of a service, as DescribeServices shows it, a rollout cannot follow, and what to change; "" for none."""
    controller = (service.get("deploymentController") or {}).get("type") or CONTROLLER
    configuration = service.get("deploymentConfiguration") or {}
    strategy = configuration.get("strategy") or STRATEGY
    extras = _extras(configuration)
    if controller != CONTROLLER:
        found = f"deployment controller {_named(controller, _CONTROLLERS)}"
        remedy = f"set deployment controller {CONTROLLER} and strategy {STRATEGY}"
    elif strategy != STRATEGY:
        found = f"deployment strategy {_named(strategy, _STRATEGIES)}"
        found += f" ({' and '.join(extras)})" if extras else ""
        remedy = f"set strategy {STRATEGY}"
    elif extras:
        found = f"{' and '.join(extras)} in its deployment configuration, which can hold a deployment back"
        remedy = "remove it"
    else:
        return ""
    return (
        f"the service has {found}, and a rollout follows only {CONTROLLER} with {STRATEGY}: {remedy} where the service "
        "is declared, then update again"
    )


def alarms(service: Mapping[str, Any]) -> tuple[str, ...]:
    """The CloudWatch alarms by which ECS itself ends a deployment of this service."""
    found = (service.get("deploymentConfiguration") or {}).get("alarms") or {}
    return tuple(map(str, found.get("alarmNames") or ())) if found.get("enable") else ()


def _extras(configuration: Mapping[str, Any]) -> list[str]:
    bake, hooks = configuration.get("bakeTimeInMinutes") or 0, configuration.get("lifecycleHooks") or ()
    return [
        *([f"a bake time of {bake} minutes"] if bake else []),
        *(["1 lifecycle hook" if len(hooks) == 1 else f"{len(hooks)} lifecycle hooks"] if hooks else []),
    ]


def _named(found: Any, known: tuple[str, ...]) -> str:
    return str(found) if found in known else f"{found}, which is unknown here"
