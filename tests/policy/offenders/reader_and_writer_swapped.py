"""The reader's variable on the writer's secret.

Stopped by: four-runtime-bindings
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, pinned, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(MONGODB_URI=pinned("app-write-v2")),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
