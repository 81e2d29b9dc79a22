"""A secret that an edit can delete.

Stopped by: secret-protected
"""

import pulumi_aws as aws
from offender_parts import secret

aws.secretsmanager.Secret("s", **secret(opts=None))
