"""What a stack's service runs at this moment, asked of the sandbox's ECS.

It must never be imported where it is not needed: boto3 is most of a command's start.
"""

from botocore.exceptions import BotoCoreError, ClientError

from access.endpoints import Endpoints
from probes.aws import AwsUnavailable, client, new_session
from rollout.plan import ServiceState
from rollout.service import Service, ServiceMissing
from sandbox.stack_files import StackFiles
from sandbox.world import World


def service_now(world: World, files: StackFiles) -> ServiceState | None:
    """Ask ECS what the stack's service runs; None when there is no answer: a story is told without it."""
    here = world.environment(files.stack)
    session = new_session(
        aws_access_key_id=here["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=here["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=here["AWS_SESSION_TOKEN"],
    )
    ecs = client("ecs", files.of("awsRegion"), Endpoints.from_environment(here), session=session)
    try:
        return Service(ecs, files.of("ecsCluster"), files.of("ecsService")).look()
    except (AwsUnavailable, ServiceMissing, ClientError, BotoCoreError):
        return None
