"""A generator of short passwords.

Stopped by: password-strength
"""

import pulumi_random as random

random.RandomPassword("p", length=20, special=False)
