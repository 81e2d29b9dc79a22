"""The schema credential in the runtime.

Stopped by: admin-schema-only-in-run-task
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, pinned, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(MONGODB_URI_ADMIN_SCHEMA=pinned("admin-schema")),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs("admin-schema")),
)
