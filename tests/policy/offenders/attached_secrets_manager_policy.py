"""AWS's policy over every secret, attached.

Stopped by: execution-role-least-privilege
"""

import pulumi_aws as aws

aws.iam.RolePolicyAttachment(
    "a",
    role="askflorence-staging-app-execution",
    policy_arn="arn:aws:iam::aws:policy/SecretsManagerReadWrite",
)
