"""A legacy user, declared.

Stopped by: additive-provision
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

mongodbatlas.DatabaseUser("u", **account("app_writer_survey"))
