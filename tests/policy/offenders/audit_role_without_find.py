"""The audit writer can no longer read.

Stopped by: audit-role-frozen
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID, grant

mongodbatlas.CustomDbRole(
    "r", project_id=PROJECT_ID, role_name="role_audit_writer", actions=[grant("INSERT", "agent_audit_log")]
)
