"""An owner of the database.

Stopped by: users-by-law
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

mongodbatlas.DatabaseUser("u", **account(role="dbOwner"))
