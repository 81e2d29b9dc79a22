"""The reference variable on the reader's secret.

Stopped by: reference-uri-explicit
"""

import pulumi_aws as aws
from offender_parts import pinned, task

aws.ecs.TaskDefinition("task", **task(MONGODB_REFERENCE_URI=pinned("app-read-v2")))
