"""The audit writer may also change rows.

Stopped by: audit-role-frozen
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID, grant

mongodbatlas.CustomDbRole(
    "r",
    project_id=PROJECT_ID,
    role_name="role_audit_writer",
    actions=[grant(action, "agent_audit_log") for action in ("FIND", "INSERT", "UPDATE")],
)
