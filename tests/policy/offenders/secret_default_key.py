"""A secret under the account's default key.

Stopped by: secret-settings
"""

import pulumi_aws as aws
from offender_parts import PROTECTED

aws.secretsmanager.Secret("s", name="staging/mongodb/app-read-v2", opts=PROTECTED)
