"""FIND on a pattern.

Stopped by: atlas-action-allow-list
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import grant, role

mongodbatlas.CustomDbRole("r", **role(grant("FIND", "agent_*")))
