"""Looks that decide whether a phase can still be undone: how far the retirement is, and who uses the credentials.

Read-only. What could not be asked closes the way back, it never opens it.
"""

from __future__ import annotations

import json

from atlas_access.base import Endpoints, Settings
from atlas_access.clients import AwsUnavailable, client, wrong_account
from atlas_access.manifest import Manifest
from atlas_access.retirement.consumers import StillConsumed, refuse_while_consumed
from atlas_access.retirement.journal import Journal, read_journal
from atlas_access.rollout import Service, ServiceMissing


def retirement_journal(stack: str, settings: Settings, endpoints: Endpoints) -> Journal:
    """What the service's tags say of the retirement. Raises `AwsUnavailable`."""
    what = f"reading the record of {stack}'s retirement"
    elsewhere = wrong_account(stack, settings.aws_account_id, settings.aws_region, endpoints)
    if elsewhere:
        raise AwsUnavailable(what, elsewhere)
    ecs = client("ecs", settings.aws_region, endpoints)
    try:
        return read_journal(Service(ecs, settings.ecs_cluster, settings.ecs_service).observe_tags()[1])
    except ServiceMissing as error:
        raise AwsUnavailable(what, str(error)) from None


def consumed(stack: str, manifest: Manifest, settings: Settings) -> str:
    """Who still uses what the stack has made, in the words of the refusal; "" when nobody does."""
    adopted = {user.secret_name(stack) for user in manifest.users if user.secret_adopted}
    own = {binding.secret_name for binding in manifest.credentials_for(stack)} - adopted
    crossing = [
        {"environment": binding.environment, "secret": binding.secret_name}
        for binding in manifest.bindings
        if binding.cluster == stack and binding.environment in set(manifest.environments) - {stack}
    ]
    asked = {
        "stack": stack,
        "region": settings.aws_region,
        "cluster": settings.ecs_cluster,
        "service": settings.ecs_service,
        "crossing": json.dumps(crossing),
        "observer_role": settings.looks_as,
        "own": True,
    }
    try:
        refuse_while_consumed(asked, sorted(own))
    except StillConsumed as still:
        return str(still)
    return ""
