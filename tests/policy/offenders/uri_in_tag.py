"""A connection string in a tag.

Stopped by: no-plaintext-uri
"""

import pulumi_aws as aws

aws.ecs.Cluster("c", tags={"was": "mongodb://app_read:Zu7canary9@host.example.com/askflorence"})
