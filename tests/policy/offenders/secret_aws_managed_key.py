"""A secret under the key that AWS manages.

Stopped by: secret-cmk
"""

import pulumi_aws as aws
from pulumi import ResourceOptions

aws.secretsmanager.Secret(
    "s",
    name="staging/mongodb/app-read-v2",
    kms_key_id="alias/aws/secretsmanager",
    opts=ResourceOptions(protect=True),
)
