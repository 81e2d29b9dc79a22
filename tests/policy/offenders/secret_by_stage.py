"""A secret by its current stage.

Stopped by: secrets-by-arn-and-version
"""

import pulumi_aws as aws
from offender_parts import FAMILY, arn, containers, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(MONGODB_URI=arn("app-read-v2") + "::AWSCURRENT:"),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
