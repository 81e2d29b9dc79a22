"""A custom role assigned at the data's database.

Stopped by: custom-role-at-admin
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID, account, grant
from pulumi import ResourceOptions

role = mongodbatlas.CustomDbRole(
    "r", project_id=PROJECT_ID, role_name="role_x", actions=[grant("FIND", "plans")]
)
mongodbatlas.DatabaseUser(
    "u",
    **account("app_jobs", roles=[{"role_name": role.role_name, "database_name": "askflorence"}]),
    opts=ResourceOptions(depends_on=[role]),
)
