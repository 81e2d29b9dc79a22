"""A secret whose value may change after its proof.

Stopped by: secrets-by-arn-and-version
"""

import pulumi_aws as aws
from offender_parts import arn, task

aws.ecs.TaskDefinition("task", **task(MONGODB_URI=arn("app-read-v2")))
