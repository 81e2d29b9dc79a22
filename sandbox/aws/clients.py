"""Clients of a stack's account in a running sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atlas_access.base import Endpoints
from atlas_access.clients import client, new_session
from sandbox.world import World

if TYPE_CHECKING:
    from botocore.session import Session


def session_of(world: World, stack: str) -> Session:
    """A session of the stack's account."""
    here = world.environment(stack)
    return new_session(
        aws_access_key_id=here["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=here["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=here["AWS_SESSION_TOKEN"],
        region_name=here["AWS_REGION"],
    )


def client_of(world: World, stack: str, service: str) -> Any:
    """A client of one of AWS's services in the stack's account and region."""
    here = world.environment(stack)
    return client(
        service, here["AWS_REGION"], Endpoints.from_environment(here), session=session_of(world, stack)
    )
