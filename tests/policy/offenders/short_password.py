"""A password of twelve characters.

Stopped by: password-strength
"""

import pulumi_mongodbatlas as mongodbatlas
from offender_parts import account

mongodbatlas.DatabaseUser("u", **account(password="Abcdefgh1234"))
