"""No write variable.

Stopped by: four-runtime-bindings
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(MONGODB_WRITE_URI=None),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
