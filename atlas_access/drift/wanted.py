"""What one stack is held to: its manifest, settings and known users, and the moment of the check. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from atlas_access.base import Address, Phase, Settings
from atlas_access.drift.compare_secrets import InventoryRules
from atlas_access.manifest import (
    Binding,
    Consumer,
    KnownUser,
    Manifest,
)


@dataclass(frozen=True)
class Wanted:
    """What one stack is held to. `retired` overrides whether legacy access should be gone (None: by the phase)."""

    stack: str
    manifest: Manifest
    settings: Settings
    known: tuple[KnownUser, ...]
    now: datetime
    retired: bool | None = None

    @property
    def legacy_is_gone(self) -> bool:
        """Whether legacy users, roles and secrets count as drift: from phase `retire` on."""
        return self.settings.phase is Phase.RETIRE if self.retired is None else self.retired

    @property
    def reader(self) -> Binding | None:
        """The service's binding by which this cluster's collections are listed: the first user of it that may read."""
        mine = [
            binding
            for binding in self.manifest.bindings_for(self.stack, Consumer.SERVICE)
            if binding.cluster == self.stack and binding.address is Address.PUBLIC
        ]
        for binding in mine:
            roles = self.manifest.user(binding.user).roles
            if any(role.name == "read" and role.database == self.manifest.database for role in roles):
                return binding
        return None

    @property
    def inventory(self) -> InventoryRules:
        """What the AWS account is held to, but for the key's ARN, which is read."""
        return InventoryRules(
            manifest=self.manifest,
            environment=self.stack,
            account=self.settings.aws_account_id,
            region=self.settings.aws_region,
            key_arn="",
            key_alias=self.settings.kms_alias,
            phase=self.settings.phase,
            retired=self.legacy_is_gone,
            now=self.now,
        )
