"""Prod's cluster in the staging stack.

Stopped by: project-isolation
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

mongodbatlas.DatabaseUser("u", **account(scopes=[{"name": "askflorence-prod-01", "type": "CLUSTER"}]))
