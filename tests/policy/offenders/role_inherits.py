"""A role that inherits read.

Stopped by: no-inherited-roles
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import READ, grant, role

mongodbatlas.CustomDbRole("r", **role(grant("FIND", "plans"), inherited_roles=READ))
