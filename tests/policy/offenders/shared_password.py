"""One password for two users.

Stopped by: password-strength
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account, password

for name in ("app_read", "app_jobs"):
    mongodbatlas.DatabaseUser(name, **account(name, password=password("shared")))
