"""A task definition before the bind.

Stopped by: additive-provision
Phase: provision
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
