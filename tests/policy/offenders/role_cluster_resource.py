"""An action on the cluster resource.

Stopped by: atlas-action-allow-list
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID, grant

mongodbatlas.CustomDbRole(
    "r", project_id=PROJECT_ID, role_name="role_x", actions=[grant("FIND", "plans", cluster=True)]
)
