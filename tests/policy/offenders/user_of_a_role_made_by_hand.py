"""A user of a role that no program declares.

Stopped by: audit-log-append-only
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account, held

mongodbatlas.DatabaseUser("u", **account("app_jobs", roles=held("role_by_hand", "admin")))
