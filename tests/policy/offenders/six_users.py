"""A sixth user of the cluster, by names that the law knows, each declared again.

Stopped by: user-cap and users-by-law
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

for number in range(6):
    user = account(("app_read", "app_write")[number % 2], password=f"{number}" * 40)
    mongodbatlas.DatabaseUser(f"u{number}", **user)
