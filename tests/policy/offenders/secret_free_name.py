"""A secret whose name says no environment.

Stopped by: secret-naming
"""

import pulumi_aws as aws
from offender_parts import secret

aws.secretsmanager.Secret("s", **secret(name="app-read-uri"))
