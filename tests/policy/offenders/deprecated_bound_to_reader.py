"""An old writer's variable on the reader's secret.

Stopped by: deprecated-env-vars
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, pinned, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(MONGODB_URI_PLANS_WRITE=pinned("app-read-v2")),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
