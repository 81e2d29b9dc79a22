"""Rule audit-role-frozen: `role_audit_writer` is exactly FIND and INSERT on the audit collection."""

from policy import adr
from policy.atlas import Target, role_view
from policy.config import Config
from policy.model import Framework, Rule, Severity
from policy.report import Report, printable
from policy.resources import CUSTOM_DB_ROLE, Resource
from policy.run import Run
from policy.values import Marker


def _is_audit_collection(target: Target, config: Config) -> bool:
    return (
        target.cluster is not True
        and target.collection == adr.AUDIT_COLLECTION
        and target.database == config.audit_database
    )


def _unseen(target: Target) -> Marker | None:
    parts = (target.collection, target.database, target.cluster)
    return next((part for part in parts if isinstance(part, Marker)), None)


def check(resource: Resource, run: Run, report: Report) -> None:
    """Wider is a finding, and narrower is one too: an audit writer that cannot insert loses the trail."""
    role = resource.read(role_view)
    if role.name != adr.AUDIT_ROLE:
        return
    if isinstance(role.actions, Marker):
        report.not_evaluated("actions", role.actions)
        return
    granted = set()
    blind = False
    for grant in role.actions:
        if isinstance(grant.action, Marker) or isinstance(grant.targets, Marker):
            report.not_evaluated(grant.path, Marker.UNKNOWN)
            blind = True
            continue
        if grant.action is None:
            continue
        if grant.action not in adr.AUDIT_ROLE_ACTIONS:
            report.finding(
                f"{grant.path}: {printable(grant.action)} would end the append-only property (ADR 0002)."
            )
            continue
        for target in grant.targets:
            hidden = _unseen(target)
            if hidden is not None:
                report.not_evaluated(target.path, hidden)
                blind = True
            elif _is_audit_collection(target, run.config):
                granted.add(grant.action)
            else:
                report.finding(
                    f"{target.path}: grants {grant.action} elsewhere than on {adr.AUDIT_COLLECTION}."
                )
    missing = adr.AUDIT_ROLE_ACTIONS - granted
    if missing and not blind:
        report.finding(
            f"{', '.join(sorted(missing))} on {adr.AUDIT_COLLECTION} is missing: narrower is wrong too."
        )


RULE = Rule(
    name="audit-role-frozen",
    description="role_audit_writer is exactly FIND and INSERT on agent_audit_log (ADR 0002, kept by ADR 0006)",
    why="The append-only audit log is evidence; a role that can change a row makes every row worthless.",
    source="ADR 0002",
    severity=Severity.CRITICAL,
    frameworks=(Framework.HIPAA_AUDIT, Framework.SOC2_LOGICAL_ACCESS),
    remediation="Restore FIND and INSERT on agent_audit_log; anything else needs an ADR of its own and both sign-offs.",
    offending='CustomDbRole("a", role_name="role_audit_writer", actions=[{"action": "UPDATE", ...}], ...)',
    compliant='CustomDbRole("a", role_name="role_audit_writer", actions=[\n'
    '    {"action": "FIND", "resources": [{"collection_name": "agent_audit_log", "database_name": "askflorence"}]},\n'
    '    {"action": "INSERT", "resources": [{"collection_name": "agent_audit_log", "database_name": "askflorence"}]},\n'
    "], ...)",
    types=(CUSTOM_DB_ROLE,),
    check=check,
)
