"""A connection string in a parameter.

Stopped by: no-plaintext-uri
"""

import pulumi_aws as aws

aws.ssm.Parameter("p", type="String", value="mongodb+srv://app_read:Zu7canary9@host.example.com/askflorence")
