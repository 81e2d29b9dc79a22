"""A custom role that may change plans.

Stopped by: atlas-action-allow-list
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import grant, role

mongodbatlas.CustomDbRole("r", **role(grant("UPDATE", "plans")))
