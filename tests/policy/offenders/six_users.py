"""A sixth user of the cluster.

Stopped by: user-cap
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

for number in range(6):
    mongodbatlas.DatabaseUser(f"u{number}", **account(f"app_{number}"))
