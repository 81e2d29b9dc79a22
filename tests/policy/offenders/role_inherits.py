"""A role that inherits read.

Stopped by: no-inherited-roles
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID, grant

mongodbatlas.CustomDbRole(
    "r",
    project_id=PROJECT_ID,
    role_name="role_x",
    actions=[grant("FIND", "plans")],
    inherited_roles=[{"role_name": "read", "database_name": "askflorence"}],
)
