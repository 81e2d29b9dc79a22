"""A user of two clusters.

Stopped by: scoped-user
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import SCOPE, account

mongodbatlas.DatabaseUser("u", **account(scopes=[*SCOPE, {"name": "analytics", "type": "CLUSTER"}]))
