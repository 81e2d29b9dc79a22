"""Prod's Atlas project in the staging stack.

Stopped by: project-isolation
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

mongodbatlas.DatabaseUser("u", **account(project_id="69dc20c64005b222804dafa4"))
