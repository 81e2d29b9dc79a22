"""A role of prod's account trusted in the staging stack.

Stopped by: project-isolation
"""

import pulumi_aws as aws

aws.ssm.Parameter("p", type="String", value="arn:aws:iam::222222222222:role/deploy")
