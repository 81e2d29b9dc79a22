"""An old variable on its old secret.

Stopped by: deprecated-env-vars
"""

import pulumi_aws as aws
from offender_parts import pinned, task

aws.ecs.TaskDefinition(
    "task", **task(proven=["survey-write"], MONGODB_URI_SURVEY_WRITE=pinned("survey-write"))
)
