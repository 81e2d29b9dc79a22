"""A secret under the account's default key.

Stopped by: secret-settings
"""

import pulumi_aws as aws
from pulumi import ResourceOptions

aws.secretsmanager.Secret("s", name="staging/mongodb/app-read-v2", opts=ResourceOptions(protect=True))
