"""A new cluster beside the two that the BAA enumerates.

Stopped by: no-cluster-or-project-changes
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID

mongodbatlas.AdvancedCluster(
    "c", project_id=PROJECT_ID, name="extra", cluster_type="REPLICASET", replication_specs=[]
)
