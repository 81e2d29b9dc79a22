"""A connection string among the plain variables of a task.

Stopped by: no-plaintext-uri
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(
        {"DATABASE": "mongodb://app_read:Zu7canary9@host.example.com/askflorence"}
    ),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
