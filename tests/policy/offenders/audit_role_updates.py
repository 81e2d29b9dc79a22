"""The audit writer may also change rows.

Stopped by: audit-role-frozen
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import grant, role

granted = [grant(action, "agent_audit_log") for action in ("FIND", "INSERT", "UPDATE")]
mongodbatlas.CustomDbRole("r", **role(*granted, name="role_audit_writer"))
