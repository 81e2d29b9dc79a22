"""The whole internet on the allow-list.

Stopped by: no-cluster-or-project-changes
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID

mongodbatlas.ProjectIpAccessList("everyone", project_id=PROJECT_ID, cidr_block="0.0.0.0/0")
