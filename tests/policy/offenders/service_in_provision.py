"""A service of our own before the bind.

Stopped by: additive-provision
Phase: provision
"""

import pulumi_aws as aws

aws.ecs.Service("s", cluster="askflorence-staging", desired_count=0)
