"""Another role that drops the audit log's indexes.

Stopped by: audit-log-append-only
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID, grant

mongodbatlas.CustomDbRole(
    "r", project_id=PROJECT_ID, role_name="role_x", actions=[grant("DROP_INDEX", "agent_audit_log")]
)
