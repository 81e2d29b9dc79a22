"""A secret by its name alone.

Stopped by: secrets-by-arn-and-version
"""

import pulumi_aws as aws
from offender_parts import task

aws.ecs.TaskDefinition("task", **task(MONGODB_URI="staging/mongodb/app-read-v2"))
