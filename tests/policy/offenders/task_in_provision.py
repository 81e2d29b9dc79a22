"""A task definition before the bind.

Stopped by: additive-provision
Phase: provision
"""

import pulumi_aws as aws
from offender_parts import task

aws.ecs.TaskDefinition("task", **task())
