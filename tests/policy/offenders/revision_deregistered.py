"""A revision that disappears when it is replaced.

Stopped by: immutable-revisions
"""

import pulumi_aws as aws
from offender_parts import task

aws.ecs.TaskDefinition("task", **task() | {"skip_destroy": False})
