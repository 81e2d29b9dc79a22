"""Rule atlas-action-allow-list: custom roles grant named actions on named collections of our database."""

from policy import adr
from policy.atlas import ActionGrant, Target, role_view
from policy.config import Config
from policy.model import Framework, Rule, Severity
from policy.report import Report, printable
from policy.resources import CUSTOM_DB_ROLE, Resource
from policy.run import Run
from policy.values import Marker


def _check_target(target: Target, config: Config, report: Report) -> None:
    if target.cluster is True:
        report.finding(f"{target.path}: a grant on the cluster resource; name a collection.")
        return
    for path, part in (
        (target.path, target.collection),
        (target.path.replace("collectionName", "databaseName"), target.database),
        (target.path.replace("collectionName", "cluster"), target.cluster),
    ):
        if isinstance(part, Marker):
            report.not_evaluated(path, part)
    collection = target.collection
    if collection is None or collection == "":
        report.finding(f"{target.path}: no collection is named, which grants the whole database.")
    elif isinstance(collection, str) and "*" in collection:
        report.finding(f"{target.path}: a wildcard; name every collection.")
    elif isinstance(collection, str) and collection.startswith("system."):
        report.finding(f"{target.path}: system collections are never granted.")
    if not isinstance(target.database, Marker) and target.database not in config.readable_databases:
        report.finding(f"{target.path}: grants stay inside the database {adr.DATABASE}.")


def _check_grant(grant: ActionGrant, config: Config, report: Report) -> None:
    if isinstance(grant.action, Marker):
        report.not_evaluated(grant.path, grant.action)
    elif grant.action is not None and grant.action not in adr.ALLOWED_ACTIONS:
        report.finding(
            f"{grant.path}: {printable(grant.action)} is no action that ADR 0006 names for a custom role."
        )
    if isinstance(grant.targets, Marker):
        report.not_evaluated(grant.path, grant.targets)
    else:
        if not grant.targets:
            report.finding(f"{grant.path}: names no resource; name the collections that it is granted on.")
        for target in grant.targets:
            _check_target(target, config, report)


def check(resource: Resource, run: Run, report: Report) -> None:
    """Actions are of the list, targets are collections. `role_audit_writer` has a stricter rule of its own."""
    role = resource.read(role_view)
    if role.name == adr.AUDIT_ROLE:
        return
    if isinstance(role.actions, Marker):
        report.not_evaluated("actions", role.actions)
        return
    for grant in role.actions:
        _check_grant(grant, run.config, report)


RULE = Rule(
    name="atlas-action-allow-list",
    description="Custom roles use only the actions and the named collections of ADR 0006",
    why="Every wider grant of the past was a wildcard or an action nobody had decided on.",
    source="ADR 0006",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS, Framework.HIPAA_ACCESS),
    remediation="Grant FIND, INSERT or the index actions on named collections, or change ADR 0006 first.",
    offending='CustomDbRole("r", role_name="role_x", actions=[{"action": "REMOVE", "resources": [\n'
    '    {"collection_name": "plans", "database_name": "askflorence"}]}], ...)',
    compliant='CustomDbRole("r", role_name="role_x", actions=[{"action": "FIND", "resources": [\n'
    '    {"collection_name": "plans", "database_name": "askflorence"}]}], ...)',
    types=(CUSTOM_DB_ROLE,),
    check=check,
)
