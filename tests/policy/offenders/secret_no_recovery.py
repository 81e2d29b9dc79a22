"""A secret that is gone at once when it is deleted.

Stopped by: secret-recovery-window
"""

import pulumi_aws as aws
from offender_parts import secret

aws.secretsmanager.Secret("s", **secret(recovery_window_in_days=0))
