"""A revision that disappears when it is replaced.

Stopped by: immutable-revisions
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(),
    skip_destroy=False,
    opts=ResourceOptions(depends_on=proofs()),
)
