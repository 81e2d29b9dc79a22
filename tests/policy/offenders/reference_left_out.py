"""No reference variable: the application would fall back.

Stopped by: reference-uri-explicit
"""

import pulumi_aws as aws
from offender_parts import task

aws.ecs.TaskDefinition("task", **task(MONGODB_REFERENCE_URI=None))
