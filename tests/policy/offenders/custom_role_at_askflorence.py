"""A custom role assigned at the data's database.

Stopped by: custom-role-at-admin
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account, grant, held, role
from pulumi import ResourceOptions

made = mongodbatlas.CustomDbRole("r", **role(grant("FIND", "plans")))
holder = account("app_jobs", roles=held(made.role_name, "askflorence"))
mongodbatlas.DatabaseUser("u", **holder, opts=ResourceOptions(depends_on=[made]))
