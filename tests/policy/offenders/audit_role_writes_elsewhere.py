"""The audit writer may also insert agents.

Stopped by: audit-role-frozen
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import grant, role

granted = [grant(action, "agent_audit_log") for action in ("FIND", "INSERT")]
mongodbatlas.CustomDbRole("r", **role(*granted, grant("INSERT", "agents"), name="role_audit_writer"))
