"""A role policy that is no JSON.

Stopped by: well-formed
"""

import pulumi_aws as aws

aws.iam.RolePolicy("p", role="askflorence-staging-app-execution", policy="allow all")
