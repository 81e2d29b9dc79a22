"""A second writer, whom no waiver names.

Stopped by: audit-log-append-only
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account, held

mongodbatlas.DatabaseUser("u", **account("app_jobs", roles=held("readWrite", "askflorence")))
