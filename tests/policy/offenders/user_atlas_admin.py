"""The break-glass role for an application.

Stopped by: built-in-roles-allow-list
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account, held

mongodbatlas.DatabaseUser("u", **account(roles=held("atlasAdmin", "admin")))
