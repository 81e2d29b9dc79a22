"""Container definitions that are no JSON.

Stopped by: well-formed
"""

import pulumi_aws as aws
from offender_parts import FAMILY

aws.ecs.TaskDefinition("task", family=FAMILY, container_definitions="app:1", skip_destroy=True)
