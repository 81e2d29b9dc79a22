"""A secret that an edit can delete.

Stopped by: secret-protected
"""

import pulumi_aws as aws
from offender_parts import KEY_ARN

aws.secretsmanager.Secret("s", name="staging/mongodb/app-read-v2", kms_key_id=KEY_ARN)
