"""A role that reads whatever is named alike.

Stopped by: execution-role-least-privilege
"""

import pulumi_aws as aws
from offender_parts import arn, reads

aws.iam.RolePolicy(
    "p", role="askflorence-staging-app-execution", policy=reads(arn("app-read-v2")[:-6] + "??????")
)
