"""Deployments by the application's own pipeline: a new image or the same revision, by a plain UpdateService."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from atlas_access.base import registrable
from atlas_access.rollout import Service, ServiceState, short
from sandbox.aws.clients import client_of
from sandbox.world import SandboxError, World

_DEADLINE_SECONDS = 60.0
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Released:
    """One such deployment: the revisions as `family:7`, and the seconds until the new one alone served."""

    stack: str
    before: str
    after: str
    seconds: float


class Pipeline:
    """The application's pipeline for one stack of a sandbox."""

    def __init__(self, world: World, stack: str) -> None:
        self._stack = stack
        self._ecs = client_of(world, stack, "ecs")
        self.service = Service(self._ecs, f"askflorence-{stack}", f"askflorence-{stack}-app")

    def observe(self) -> ServiceState:
        """What the service runs now."""
        return self.service.observe()

    def build(self, tag: str) -> Released:
        """Deploy a build of the application by its image's tag, everything else as it is."""

        def with_image(definition: dict[str, Any]) -> None:
            container = definition["containerDefinitions"][0]
            container["image"] = f"{container['image'].rpartition(':')[0]}:{tag}"

        return self.changed(with_image)

    def changed(self, change: Callable[[dict[str, Any]], None]) -> Released:
        """Register the running revision again, changed, and deploy it."""
        return self.revision(self.registered(change))

    def registered(self, change: Callable[[dict[str, Any]], None] = lambda _: None) -> str:
        """Register the running revision again, changed, and return its ARN; nothing is deployed."""
        definition = registrable(self.service.definition(self.observe().revision))
        change(definition)
        return str(self._ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"])

    def again(self) -> Released:
        """Deploy the revision that runs once more, as a pipeline does for a new configuration."""
        return self._moved(self.observe().revision, {"forceNewDeployment": True})

    def revision(self, arn: str) -> Released:
        """Deploy a revision by a plain UpdateService, and wait until it alone serves. Raises `SandboxError`."""
        return self._moved(arn, {"taskDefinition": arn})

    def _moved(self, wanted: str, asked: Mapping[str, Any]) -> Released:
        before, began = self.observe().revision, time.monotonic()
        self._ecs.update_service(cluster=self.service.cluster, service=self.service.name, **asked)
        while not (now := self.observe()).runs(wanted):
            if time.monotonic() - began > _DEADLINE_SECONDS:
                raise SandboxError(
                    f"{self._stack}: {short(wanted)} does not serve after {_DEADLINE_SECONDS:.0f} s, "
                    f"{short(now.revision)} does: `atlas-access sandbox logs` says more"
                )
            time.sleep(_PAUSE_SECONDS)
        return Released(self._stack, short(before), short(wanted), time.monotonic() - began)
