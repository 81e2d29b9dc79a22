"""An old variable that outlives its phase.

Stopped by: deprecated-env-vars
Phase: retire
"""

import pulumi_aws as aws
from offender_parts import FAMILY, containers, pinned, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family=FAMILY,
    container_definitions=containers(MONGODB_URI_PLANS_WRITE=pinned("app-write-v2")),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
