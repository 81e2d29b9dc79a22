"""A new version of a legacy secret.

Stopped by: additive-provision
"""

import pulumi_aws as aws
from offender_parts import arn

aws.secretsmanager.SecretVersion("v", secret_id=arn("reference-uri"), secret_string="unchanged")
