"""A connection string in a description.

Stopped by: no-plaintext-uri
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

address = "mongodb://app_read:Zu7canary9@host.example.com/askflorence"
mongodbatlas.DatabaseUser("u", **account(description=address))
