"""The audit writer can no longer read.

Stopped by: audit-role-frozen
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import grant, role

mongodbatlas.CustomDbRole("r", **role(grant("INSERT", "agent_audit_log"), name="role_audit_writer"))
