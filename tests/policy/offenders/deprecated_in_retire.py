"""An old variable that outlives its phase.

Stopped by: deprecated-env-vars
Phase: retire
"""

import pulumi_aws as aws
from offender_parts import pinned, task

aws.ecs.TaskDefinition("task", **task(MONGODB_URI_PLANS_WRITE=pinned("app-write-v2")))
