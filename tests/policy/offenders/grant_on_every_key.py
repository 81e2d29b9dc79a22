"""A role that decrypts with every key.

Stopped by: execution-role-least-privilege
"""

import pulumi_aws as aws
from offender_parts import reads

aws.iam.RolePolicy("p", role="askflorence-staging-app-execution", policy=reads("*", action="kms:Decrypt"))
