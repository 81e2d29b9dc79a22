"""A nightly job with the runtime's credentials.

Stopped by: bindings-by-law
"""

import pulumi_aws as aws
from offender_parts import task

aws.ecs.TaskDefinition("task", **task(family="askflorence-staging-nightly", execution_role_arn=None))
