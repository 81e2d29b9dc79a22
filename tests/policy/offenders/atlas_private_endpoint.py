"""A private endpoint made by hand.

Stopped by: no-cluster-or-project-changes
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID

mongodbatlas.PrivateLinkEndpoint("e", project_id=PROJECT_ID, provider_name="AWS", region="US_EAST_1")
