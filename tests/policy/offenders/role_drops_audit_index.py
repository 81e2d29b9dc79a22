"""Another role that drops the audit log's indexes.

Stopped by: audit-log-append-only
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import grant, role

mongodbatlas.CustomDbRole("r", **role(grant("DROP_INDEX", "agent_audit_log")))
