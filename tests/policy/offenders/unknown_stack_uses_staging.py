"""A stack that nobody configured uses staging's project.

Stopped by: project-isolation
Stack: dev
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

mongodbatlas.DatabaseUser("u", **account(scopes=[{"name": "dev", "type": "CLUSTER"}]))
