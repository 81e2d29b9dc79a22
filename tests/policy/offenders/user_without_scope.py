"""A user of every cluster of the project.

Stopped by: scoped-user
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

mongodbatlas.DatabaseUser("u", **account(scopes=None))
