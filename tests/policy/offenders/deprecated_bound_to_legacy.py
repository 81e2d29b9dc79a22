"""An old variable on its old secret.

Stopped by: deprecated-env-vars
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, pinned, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(MONGODB_URI_SURVEY_WRITE=pinned("survey-write")),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs("survey-write")),
)
