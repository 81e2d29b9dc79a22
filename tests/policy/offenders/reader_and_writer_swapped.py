"""The reader's variable on the writer's secret.

Stopped by: four-runtime-bindings
"""

import pulumi_aws as aws
from offender_parts import pinned, task

aws.ecs.TaskDefinition("task", **task(MONGODB_URI=pinned("app-write-v2")))
