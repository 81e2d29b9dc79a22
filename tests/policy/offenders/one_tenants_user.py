"""A database user for one agent, where views and the JWT keep tenants apart.

Stopped by: user-cap
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

mongodbatlas.DatabaseUser("agent", **account("agent_101"))
