"""A changed backup schedule.

Stopped by: no-cluster-or-project-changes
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import PROJECT_ID

mongodbatlas.CloudBackupSchedule("b", project_id=PROJECT_ID, cluster_name="askflorence-staging")
