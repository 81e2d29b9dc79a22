"""Rule user-cap: at most five database users per cluster, and none that is one tenant's own."""

from policy.adr import ONE_TENANTS_USER
from policy.atlas import user_view
from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resources import DATABASE_USER, Resource
from policy.run import Run, user_places
from policy.values import Marker


def check(resource: Resource, run: Run, report: Report) -> None:
    """The sixth user of a cluster is refused when it is registered; the fifth is announced.

    A user without scopes counts for the whole project, and with every cluster of it.
    """
    user = resource.read(user_view)
    for path, part in (("projectId", user.project), ("scopes", user.scopes)):
        if isinstance(part, Marker):
            report.not_evaluated(path, part)
    if isinstance(user.name, str) and ONE_TENANTS_USER.search(user.name):
        report.finding(
            "is named for one tenant; tenants are kept apart by views and the JWT's identity, never by a user each."
        )
        return
    cap = run.config.user_cap
    for project, cluster in user_places(resource):
        users = run.history.users
        others = users.get((project, cluster), set()) | users.get((project, ""), set())
        count = len(others | {resource.urn})
        if count > cap:
            report.finding(
                f"is user {count} of its cluster; {cap} are the most, the next needs a decision record."
            )
            return
        if count == cap:
            report.advice(f"is user {count} of {cap} of its cluster: the cap is reached.")
            return


RULE = Rule(
    name="user-cap",
    description="At most five users a cluster, none for one tenant; a sixth needs an ADR (ADR 0006)",
    why="Fourteen narrow users caused three silent regressions in a week; fewer grants are fewer ways to mis-bind.",
    source="ADR 0006",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS, Framework.HIPAA_ACCESS),
    remediation="Bind the consumer to one of the four users, or decide on a sixth in an ADR and raise userCap with it.",
    offending='[DatabaseUser(f"u{n}", ...) for n in range(6)]',
    compliant="[DatabaseUser(name, ...) for name in four_users]",
    types=(DATABASE_USER,),
    check=check,
    advises=True,
)
