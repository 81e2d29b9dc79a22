"""Another role that writes the audit log.

Stopped by: audit-log-append-only
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import grant, role

mongodbatlas.CustomDbRole("r", **role(grant("INSERT", "agent_audit_log")))
