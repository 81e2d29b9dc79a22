"""A writer of every database.

Stopped by: built-in-roles-allow-list
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account, held

mongodbatlas.DatabaseUser("u", **account(roles=held("readWriteAnyDatabase", "admin")))
