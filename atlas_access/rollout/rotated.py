"""What a rollout knows of a rotation: whether it changes versions alone, needs a soak before, or moves nothing."""

from __future__ import annotations

from atlas_access.base import Settings, changed_versions, same_definition
from atlas_access.manifest import Manifest
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_tags import ServiceTags


def held_alike(service: Service, tags: ServiceTags, running: str, wanted: str, release: int) -> bool:
    """Whether the service is held on what the wanted revision is again, and nobody moves it."""
    if tags.lease is not None or tags.held is None or tags.held < release:
        return False
    return same_definition(service.definition(running), service.definition(wanted))


def rotated(manifest: Manifest, stack: str, service: Service, running: str, wanted: str) -> frozenset[str]:
    """The variables that receive another version of their secret, where nothing else of the definition changes."""
    ours = {each.variable for each in manifest.bindings_for(stack)} | set(manifest.successors)
    return changed_versions(service.definition(running), service.definition(wanted), ours)


def follows_at_once(manifest: Manifest, stack: str, settings: Settings, changed: frozenset[str]) -> bool:
    """Whether what changes needs no soak first: a credential that another stack hands over, or one that leaked."""
    users = settings.users
    free = {
        each.variable
        for each in manifest.bindings_for(stack)
        if each.cluster != stack or (users.revokes and each.user == users.rotating)
    }
    return bool(changed) and changed <= free | {
        old for old, new in manifest.successors.items() if new in free
    }
