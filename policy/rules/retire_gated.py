"""Rule retire-gated: nothing is retired without the gate's evidence, each condition met."""

from collections.abc import Sequence

from policy import adr
from policy.model import Framework, Rule, Severity
from policy.reader import Reader
from policy.report import Report
from policy.resources import RETIREMENT, SERVICE_ACCESS, STACK, Resource
from policy.run import Run
from policy.values import Marker


def _met(resource: Resource, report: Report) -> set[str] | None:
    """The conditions that the evidence shows as met; None where it cannot be seen."""
    reader = Reader(resource.props)
    document = reader.document("evidence", required=True)
    if isinstance(document, Marker):
        report.not_evaluated("evidence", document)
        return None
    if not isinstance(document, dict):
        return set()
    listed = Reader(document, "evidence").objects("conditions")
    if isinstance(listed, Marker):
        report.not_evaluated("evidence.conditions", listed)
        return None
    met = set()
    for condition in listed:
        name, flag = condition.text("name"), condition.flag("met")
        if isinstance(name, str) and flag is True and condition.text("evidence"):
            met.add(name)
    return met


def check(resource: Resource, run: Run, report: Report) -> None:
    """A retirement is in phase `retire` and has evidence for every condition; unknown counts as unmet."""
    if run.phase not in (adr.Phase.RETIRE, None):
        report.finding("stands outside phase retire.")
    met = _met(resource, report)
    if met is None:
        return
    missing = [name for name in adr.RETIREMENT_CONDITIONS if name not in met]
    if missing:
        report.finding(f"evidence: not met or not shown: {', '.join(missing)}.")


def check_stack(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """Our component in phase `retire` comes with a retirement, whose evidence the resource rule judges."""
    if run.phase is not adr.Phase.RETIRE or any(resource.type == RETIREMENT for resource in resources):
        return
    component = next((resource for resource in resources if resource.type == SERVICE_ACCESS), None)
    root = next((resource for resource in resources if resource.type == STACK), component)
    if component is not None and root is not None:
        report.on(root)
        report.finding("is in phase retire without a Retirement that carries the gate's evidence.")


RULE = Rule(
    name="retire-gated",
    description="Phase retire carries the evidence of every condition of the retirement gate (ENG-279, phase G)",
    why="Deleting a credential that anything still uses is an outage with no way back.",
    source="ENG-279 phase G",
    severity=Severity.CRITICAL,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS, Framework.HIPAA_ACCESS),
    remediation="Deploy with phase retire: its gate collects the evidence. Wait for the conditions that are unmet.",
    offending='Retirement("legacy", evidence=json.dumps({"conditions": []}))',
    compliant='Retirement("legacy", evidence=json.dumps({"conditions": [\n'
    '    {"name": "drift_clean", "met": True, "evidence": "…"}, …]}))',
    types=(RETIREMENT,),
    check=check,
    check_stack=check_stack,
    after_creation=("evidence",),
)
