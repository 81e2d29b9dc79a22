"""Rule scoped-user: a user names the cluster it may reach."""

from policy.atlas import user_view
from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resources import DATABASE_USER, Resource
from policy.run import Run
from policy.values import Marker


def check(resource: Resource, run: Run, report: Report) -> None:
    """Exactly one scope, of type CLUSTER, with the cluster of this stack where the stack is known.

    Another environment's cluster is the business of `project-isolation`.
    """
    user = resource.read(user_view)
    if isinstance(user.scopes, Marker):
        report.not_evaluated("scopes", user.scopes)
        return
    if len(user.scopes) != 1:
        report.finding(
            "names no single cluster: without a scope a user reaches every cluster of its project."
        )
        return
    name, kind = user.scopes[0]
    for path, part in (("scopes[0].name", name), ("scopes[0].type", kind)):
        if isinstance(part, Marker):
            report.not_evaluated(path, part)
    if not isinstance(kind, Marker) and kind != "CLUSTER":
        report.finding("scopes[0].type: the scope has to be a CLUSTER.")
    facts = run.facts
    elsewhere = {other.cluster for other in run.others}
    if facts is not None and isinstance(name, str) and name != facts.cluster and name not in elsewhere:
        report.finding(f"scopes[0].name: has to be {facts.cluster}.")


RULE = Rule(
    name="scoped-user",
    description="A database user is scoped to its cluster (ADR 0001)",
    why="Atlas users belong to the project; without a scope they reach every cluster that is ever added to it.",
    source="ADR 0001",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_BOUNDARIES, Framework.CMS_SEPARATION),
    remediation='Write scopes=[{"name": cluster, "type": "CLUSTER"}].',
    offending='DatabaseUser("u", username="app_read", scopes=[], ...)',
    compliant='DatabaseUser("u", scopes=[{"name": "askflorence-staging", "type": "CLUSTER"}], ...)',
    types=(DATABASE_USER,),
    check=check,
)
