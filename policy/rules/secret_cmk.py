"""Rule secret-cmk: secrets are encrypted with the project's own key."""

import re

from policy.model import Framework, Rule, Severity
from policy.reader import Reader
from policy.report import Report
from policy.resources import SECRET, Resource
from policy.run import Run
from policy.values import Marker

_KEY = re.compile(r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/)?[0-9a-zA-Z-]{8,}")


def check(resource: Resource, run: Run, report: Report) -> None:
    """The key is the stack's alias, or a key by id or ARN; never absent, never an alias of AWS or of somebody else."""
    reader = Reader(resource.props)
    key = reader.text("kmsKeyId")
    if isinstance(key, Marker):
        report.not_evaluated("kmsKeyId", key)
        return
    if key is None:
        problem = "is not a text" if reader.problems else "is absent, so the default key would be used"
        report.finding(f"kmsKeyId: {problem}.")
        return
    alias = key.rsplit(":", 1)[-1]
    if alias.startswith("alias/"):
        if alias.startswith("alias/aws/"):
            report.finding("kmsKeyId: is a key that AWS manages; use the project's own.")
        elif run.facts is not None and alias != run.facts.kms_alias:
            report.finding(f"kmsKeyId: has to be {run.facts.kms_alias} or that key's ARN.")
    elif _KEY.fullmatch(key) is None:
        report.finding("kmsKeyId: names no key.")


RULE = Rule(
    name="secret-cmk",
    description="Secrets are encrypted with the project's own KMS key, never the default (ADR 0001)",
    why="The default key cannot be granted per role; reading a secret has to need the project's key as well.",
    source="ADR 0001",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS, Framework.SOC2_BOUNDARIES),
    remediation="Set kms_key_id to the key behind the stack's alias.",
    offending='aws.secretsmanager.Secret("s", name="staging/mongodb/app-read-v2")',
    compliant='aws.secretsmanager.Secret("s", name="staging/mongodb/app-read-v2", kms_key_id=key.target_key_arn)',
    types=(SECRET,),
    check=check,
    after_creation=("kmsKeyId",),
)
