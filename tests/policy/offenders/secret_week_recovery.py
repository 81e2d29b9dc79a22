"""A secret that can be restored for a week.

Stopped by: secret-recovery-window
"""

import pulumi_aws as aws
from offender_parts import secret

aws.secretsmanager.Secret("s", **secret(recovery_window_in_days=7))
