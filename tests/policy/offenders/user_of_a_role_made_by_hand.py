"""A user of a role that no program declares.

Stopped by: audit-log-append-only
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

mongodbatlas.DatabaseUser(
    "u", **account("app_jobs", roles=[{"role_name": "role_by_hand", "database_name": "admin"}])
)
