"""A nightly job with the runtime's credentials.

Stopped by: four-runtime-bindings
"""

import pulumi_aws as aws
from offender_parts import containers, proofs
from pulumi import ResourceOptions

aws.ecs.TaskDefinition(
    "task",
    family="askflorence-staging-nightly",
    container_definitions=containers(),
    skip_destroy=True,
    opts=ResourceOptions(depends_on=proofs()),
)
