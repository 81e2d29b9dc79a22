"""The schema credential in the runtime.

Stopped by: admin-schema-only-in-run-task
"""

import pulumi_aws as aws
from offender_parts import pinned, task

aws.ecs.TaskDefinition(
    "task", **task(proven=["admin-schema"], MONGODB_URI_ADMIN_SCHEMA=pinned("admin-schema"))
)
