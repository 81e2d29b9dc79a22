"""A secret that can be restored for a week.

Stopped by: secret-recovery-window
"""

import pulumi_aws as aws
from offender_parts import KEY_ARN
from pulumi import ResourceOptions

aws.secretsmanager.Secret(
    "s",
    name="staging/mongodb/app-read-v2",
    kms_key_id=KEY_ARN,
    recovery_window_in_days=7,
    opts=ResourceOptions(protect=True),
)
