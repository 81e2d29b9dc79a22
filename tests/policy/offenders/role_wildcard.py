"""A schema role with FIND on a pattern.

Stopped by: roles-by-law
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID, PROTECTED

actions = [{"action": "FIND", "resources": [{"collection_name": "agent_*", "database_name": "askflorence"}]}]
mongodbatlas.CustomDbRole(
    "r", project_id=PROJECT_ID, role_name="role_admin_schema", actions=actions, opts=PROTECTED
)
