"""A retirement that shows nothing.

Stopped by: retire-gated
Phase: retire
"""

import pulumi

pulumi.CustomResource(
    "pulumi-python:dynamic/rollout:Retirement", "legacy", {"evidence": '{"conditions": []}'}
)
