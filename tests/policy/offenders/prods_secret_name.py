"""A secret of prod in the staging stack.

Stopped by: project-isolation
"""

import pulumi_aws as aws
from offender_parts import KEY_ARN
from pulumi import ResourceOptions

aws.secretsmanager.Secret(
    "s", name="prod/mongodb/app-read-v2", kms_key_id=KEY_ARN, opts=ResourceOptions(protect=True)
)
