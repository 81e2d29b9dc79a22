"""An old writer's variable on the reader's secret.

Stopped by: deprecated-env-vars
"""

import pulumi_aws as aws
from offender_parts import pinned, task

aws.ecs.TaskDefinition("task", **task(MONGODB_URI_PLANS_WRITE=pinned("app-read-v2")))
