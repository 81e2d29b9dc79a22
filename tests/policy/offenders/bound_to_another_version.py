"""A task that takes another version than the proven one.

Stopped by: proof-before-bind
"""

import pulumi_aws as aws
from offender_parts import FAMILY, arn, containers, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(
        MONGODB_URI=arn("app-read-v2") + ":::5f0c8a52-0000-4000-8000-000000000002"
    ),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
