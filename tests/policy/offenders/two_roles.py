"""A reader who is also an audit reader.

Stopped by: one-role-per-user
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import READ, account

mongodbatlas.DatabaseUser("u", **account(roles=READ * 2))
