"""A secret under the account's default key.

Stopped by: secret-cmk
"""

import pulumi_aws as aws
from offender_parts import secret

aws.secretsmanager.Secret("s", **secret(kms_key_id=None))
