"""A secret whose name says no environment.

Stopped by: secret-naming
"""

import pulumi_aws as aws
from offender_parts import KEY_ARN
from pulumi import ResourceOptions

aws.secretsmanager.Secret("s", name="app-read-uri", kms_key_id=KEY_ARN, opts=ResourceOptions(protect=True))
