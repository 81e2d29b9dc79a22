"""Asks the sandbox's ECS what a stack's service runs; imported only where needed: the AWS client loads slowly."""

from botocore.exceptions import BotoCoreError, ClientError

from atlas_access.base import Endpoints
from atlas_access.clients import AwsUnavailable, client
from atlas_access.rollout import Service, ServiceMissing, ServiceState
from sandbox.aws_clients import session_of
from sandbox.stack_files import StackFiles
from sandbox.world import World


def service_now(world: World, files: StackFiles) -> ServiceState | None:
    """Ask ECS what the stack's service runs; None when there is no answer."""
    here = world.environment(files.stack)
    session = session_of(world, files.stack)
    ecs = client("ecs", files.of("awsRegion"), Endpoints.from_environment(here), session=session)
    try:
        return Service(ecs, files.of("ecsCluster"), files.of("ecsService")).look()
    except (AwsUnavailable, ServiceMissing, ClientError, BotoCoreError):
        return None
