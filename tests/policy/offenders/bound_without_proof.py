"""A task that takes credentials nobody proved.

Stopped by: proof-before-bind
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers

aws.ecs.TaskDefinition("task", family=FAMILY, container_definitions=containers(), skip_destroy=True)
