"""No write variable.

Stopped by: four-runtime-bindings
"""

import pulumi_aws as aws
from offender_parts import task

aws.ecs.TaskDefinition("task", **task(MONGODB_WRITE_URI=None))
