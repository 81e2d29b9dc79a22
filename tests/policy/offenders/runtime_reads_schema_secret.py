"""The runtime's role reads the schema secret.

Stopped by: secret-readers
"""

import pulumi_aws as aws
from offender_parts import arn, reads

aws.iam.RolePolicy("p", role="askflorence-staging-app-execution", policy=reads(arn("admin-schema")))
