"""A project of its own.

Stopped by: no-cluster-or-project-changes
"""

import pulumi_mongodbatlas as mongodbatlas

mongodbatlas.Project("p", name="playground", org_id="0" * 24)
