"""A task that takes another version than the proven one.

Stopped by: proof-before-bind
"""

import pulumi_aws as aws
from offender_parts import arn, task

other = arn("app-read-v2") + ":::5f0c8a52-0000-4000-8000-000000000002"
aws.ecs.TaskDefinition("task", **task(MONGODB_URI=other))
