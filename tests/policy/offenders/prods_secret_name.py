"""A secret of prod in the staging stack.

Stopped by: project-isolation
"""

import pulumi_aws as aws
from offender_parts import secret

aws.secretsmanager.Secret("s", **secret(name="prod/mongodb/app-read-v2"))
