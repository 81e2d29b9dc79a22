"""A secret by its name alone.

Stopped by: secrets-by-arn-and-version
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(MONGODB_URI="staging/mongodb/app-read-v2"),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
