"""No reference variable: the application would fall back.

Stopped by: reference-uri-explicit
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(MONGODB_REFERENCE_URI=None),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
