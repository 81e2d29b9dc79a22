"""A connection string among the plain variables of a task.

Stopped by: no-plaintext-uri
"""

import pulumi_aws as aws
from offender_parts import task

address = "mongodb://app_read:Zu7canary9@host.example.com/askflorence"
aws.ecs.TaskDefinition("task", **task(environment={"DATABASE": address}))
