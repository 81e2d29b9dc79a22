"""The runtime's credentials in the schema task.

Stopped by: admin-schema-only-in-run-task
"""

import pulumi_aws as aws
from offender_parts import pinned, task

schema = task(
    "askflorence-staging-schema", proven=["admin-schema"], MONGODB_URI_ADMIN_SCHEMA=pinned("admin-schema")
)
aws.ecs.TaskDefinition("task", **schema)
