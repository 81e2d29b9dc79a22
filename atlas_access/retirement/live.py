"""The live systems of one stack as a retirement changes them: ECS, Atlas, Secrets Manager. Decides nothing.

Each method is one change, and fine when it was made before. It must never touch a secret's value, delete a secret
without its recovery window, or register anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atlas_access.clients import AwsUnavailable
from atlas_access.retirement.change_atlas import AtlasProject
from atlas_access.retirement.journal import read_journal
from atlas_access.retirement.steps import Goal, Look, SecretState, Way
from atlas_access.rollout import Service

RECOVERY_DAYS = 30


@dataclass(frozen=True)
class LiveEstate(AtlasProject):
    """One Atlas project and one AWS account; `ecs_cluster` and `service` are where the journal is."""

    ecs: Any
    secrets: Any
    ecs_cluster: str
    service: str
    wall: Any

    def look(self, goal: Goal) -> Look:
        """Look at everything that a step depends on."""
        roles, sound = self.roles()
        wanted = goal.secrets if goal.way is Way.DELETE else ()
        return Look(
            journal=read_journal(self._service()[1]),
            users=self.users(),
            roles=roles,
            role_sound=sound,
            secrets={name: self._state(name) for name in wanted},
            wall=self.wall(),
        )

    def write(self, tags: Mapping[str, str]) -> None:
        """Write tags of the journal."""
        listed = [{"key": key, "value": value} for key, value in tags.items()]
        self.ecs.tag_resource(resourceArn=self._service()[0], tags=listed)

    def erase(self, keys: tuple[str, ...]) -> None:
        """Take tags of the journal off."""
        self.ecs.untag_resource(resourceArn=self._service()[0], tagKeys=list(keys))

    def deregister(self, revision: str) -> None:
        """Deregister a revision; it stays readable as INACTIVE."""
        found = self.ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
        if found.get("status") == "ACTIVE":
            self.ecs.deregister_task_definition(taskDefinition=revision)

    def schedule(self, secret: str) -> None:
        """Delete a secret with its recovery window."""
        if self._state(secret) is SecretState.PRESENT:
            self.secrets.delete_secret(SecretId=secret, RecoveryWindowInDays=RECOVERY_DAYS)

    def _service(self) -> tuple[str, dict[str, str]]:
        state, tags = Service(self.ecs, self.ecs_cluster, self.service).look_tagged()
        return state.arn, tags

    def _state(self, name: str) -> SecretState:
        try:
            about = self.secrets.describe_secret(SecretId=name)
        except AwsUnavailable as error:
            if error.code == "ResourceNotFoundException":
                return SecretState.ABSENT
            raise
        return SecretState.SCHEDULED if about.get("DeletedDate") else SecretState.PRESENT
