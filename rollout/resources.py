"""`PriorRevision` and `Rollout` as dynamic resources: thin shells around `rollout.swap`.

Their providers are pickled by reference and hold nothing. `create` and `update` never run in a preview. A failure
reaches the user as one line: the host's traceback is switched off.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, ResourceProvider, UpdateResult

from access.endpoints import Endpoints
from access.task_definition import REGISTRATION_FACTS
from probes.aws import client
from rollout.service import Service
from rollout.swap import put_back, swap


@dataclass(frozen=True)
class ServiceAddress:
    """Where a service is: region, ECS cluster, name."""

    region: str
    cluster: str
    service: str


class PriorRevisionProvider(ResourceProvider):
    """Records what runs; records it anew only when something else is wanted."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002 - the host's own signature
        """Failures are one line."""
        sys.tracebacklimit = 0

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Look up what the service runs, and keep its full definition, ready for RegisterTaskDefinition."""
        return CreateResult(f"{props['cluster']}/{props['service']}", _recorded(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Record again: what runs now is prior to the next revision."""
        return UpdateResult(_recorded(news))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Only another wanted definition or another service asks for another record."""
        moved = [key for key in ("region", "cluster", "service") if olds.get(key) != news.get(key)]
        return DiffResult(changes=bool(moved) or olds.get("wanted") != news.get("wanted"), replaces=moved)


class RolloutProvider(ResourceProvider):
    """Swaps the service onto a revision; deleting it puts the recorded revision back."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002 - the host's own signature
        """Failures are one line."""
        sys.tracebacklimit = 0

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Swap and wait. Raises RolloutFailed when it was refused or undone."""
        return CreateResult(f"{props['cluster']}/{props['service']}", _swapped(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Swap onto the newly wanted revision and wait. Raises RolloutFailed when it was refused or undone."""
        return UpdateResult(_swapped(news))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Put the recorded revision back where the service still runs ours."""
        put_back(_service(props), props["wanted"], props["prior"], float(props["deadline_seconds"]), _say)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another revision is an update; another service is another rollout. A new record of the prior is neither."""
        moved = [key for key in ("region", "cluster", "service") if olds.get(key) != news.get(key)]
        return DiffResult(changes=bool(moved) or olds.get("wanted") != news.get("wanted"), replaces=moved)


class PriorRevision(pulumi.dynamic.Resource, module="rollout", name="PriorRevision"):
    """The revision that runs before a rollout. `wanted` says for which definition it was recorded."""

    revision_arn: pulumi.Output[str]
    definition: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        address: ServiceAddress,
        wanted: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {**_inputs(address), "wanted": wanted, "revision_arn": None, "definition": None}
        super().__init__(PriorRevisionProvider(), name, props, opts)


class Rollout(pulumi.dynamic.Resource, module="rollout", name="Rollout"):
    """The move of one service onto one revision. `proven` names the secret versions that were proven for it."""

    running_revision: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        address: ServiceAddress,
        *,
        wanted: pulumi.Input[str],
        prior: pulumi.Input[str],
        proven: pulumi.Input[Mapping[str, str]],
        deadline_seconds: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **_inputs(address),
            "wanted": wanted,
            "prior": prior,
            "proven": proven,
            "deadline_seconds": deadline_seconds,
            "running_revision": None,
        }
        super().__init__(RolloutProvider(), name, props, opts)


def _inputs(address: ServiceAddress) -> dict[str, Any]:
    return {"region": address.region, "cluster": address.cluster, "service": address.service}


def _service(props: Mapping[str, Any]) -> Service:
    endpoints = Endpoints.from_environment(os.environ)
    return Service(client("ecs", props["region"], endpoints), props["cluster"], props["service"])


def _recorded(props: Mapping[str, Any]) -> dict[str, Any]:
    service = _service(props)
    revision = service.look().revision
    definition = {k: v for k, v in service.definition(revision).items() if k not in REGISTRATION_FACTS}
    return {**props, "revision_arn": revision, "definition": json.dumps(definition, sort_keys=True)}


def _swapped(props: Mapping[str, Any]) -> dict[str, Any]:
    done = swap(_service(props), props["wanted"], props["prior"], float(props["deadline_seconds"]), _say)
    return {**props, "running_revision": done.revision}


def _say(line: str) -> None:
    """Progress on the stack's row; a closed pipe is no reason to stop half-way."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        return
