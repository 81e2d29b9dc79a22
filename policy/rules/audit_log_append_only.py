"""Rule audit-log-append-only: nobody but `role_audit_writer` gets more than FIND on the audit log, save by waiver."""

from collections.abc import Sequence

from policy import adr
from policy.atlas import RoleReference, Target, role_view, user_view
from policy.config import Config, Waiver
from policy.model import Framework, Rule, Severity
from policy.report import Report, printable
from policy.resource import CUSTOM_DB_ROLE, DATABASE_USER, SERVICE_ACCESS, STACK, Resource
from policy.run import Run
from policy.values import Marker

_WRITING_BUILT_INS = frozenset(
    {"readWrite", "readWriteAnyDatabase", "dbAdmin", "dbOwner", "root", "atlasAdmin"}
)
_END_OF_WAIVER = "Move the audit log into a database of its own; then no waiver is needed."


def _reaches_audit_log(target: Target, config: Config) -> bool:
    return target.cluster is True or (
        target.database in (config.audit_database, "", None, "*")
        and target.collection in (adr.AUDIT_COLLECTION, "", None, "*")
    )


def _check_role(resource: Resource, config: Config, report: Report) -> None:
    role = resource.read(role_view)
    if role.name == adr.AUDIT_ROLE:
        return
    for grant in () if isinstance(role.actions, Marker) else role.actions:
        if grant.action == "FIND" or isinstance(grant.targets, Marker) or isinstance(grant.action, Marker):
            continue
        if any(_reaches_audit_log(target, config) for target in grant.targets):
            action = printable(grant.action or "an action")
            report.finding(
                f"{grant.path}: grants {action} on {adr.AUDIT_COLLECTION}; only {adr.AUDIT_ROLE} may."
            )
    for inherited in () if isinstance(role.inherited, Marker) else role.inherited:
        if inherited.name in _WRITING_BUILT_INS:
            report.finding(f"{inherited.path}: inherits writing on {adr.AUDIT_COLLECTION}.")


def _excess(role: RoleReference, config: Config) -> frozenset[str]:
    """What an allowed built-in role may do to the audit log besides FIND; others have rules of their own."""
    if (role.name, role.database) == ("readWrite", config.audit_database):
        return adr.READ_WRITE_ON_AUDIT_LOG
    return frozenset()


def _waivable(role: RoleReference, config: Config) -> frozenset[str]:
    """What of a role a waiver may name: its reach to the audit log, and to every collection's indexes."""
    indexes = (
        adr.READ_WRITE_ON_INDEXES
        if (role.name, role.database) == ("readWrite", adr.DATABASE)
        else frozenset()
    )
    return _excess(role, config) | indexes


def _accepted(run: Run, waiver: Waiver) -> bool:
    return waiver.decision in run.config.decision_records


def _check_user(resource: Resource, run: Run, report: Report) -> None:
    user = resource.read(user_view)
    if isinstance(user.roles, Marker):
        report.not_evaluated("roles", user.roles)
        return
    excess: frozenset[str] = frozenset()
    for role in user.roles:
        hidden = next((part for part in (role.name, role.database) if isinstance(part, Marker)), None)
        if hidden is not None:
            report.not_evaluated(role.path, hidden)
            continue
        excess |= _excess(role, run.config)
        _check_declared(role, resource, run, report)
    if not excess:
        return
    waivers = [w for w in run.config.waivers if w.user == user.name and _accepted(run, w)]
    open_actions = excess.difference(*(waiver.permits for waiver in waivers))
    if open_actions:
        report.finding(
            f"may {', '.join(sorted(open_actions))} on {adr.AUDIT_COLLECTION}, and no waiver names a decision for it."
        )
    else:
        named = ", ".join(f"{waiver.id} ({waiver.decision})" for waiver in waivers)
        place = f"{run.config.audit_database}.{adr.AUDIT_COLLECTION}"
        report.advice(
            f"may {', '.join(sorted(excess))} on {place}; known and accepted by {named}.", _END_OF_WAIVER
        )


def _check_declared(role: RoleReference, resource: Resource, run: Run, report: Report) -> None:
    if role.name is None or role.name in adr.BUILT_IN_ROLES:
        return
    project = resource.read(user_view).project
    if (project, role.name) not in run.history.roles:
        report.finding(
            f"{role.path}: {printable(str(role.name))} is not declared before its user, so its grants cannot be seen."
        )


def check(resource: Resource, run: Run, report: Report) -> None:
    """Roles grant nothing but FIND on the audit log; users reach further only by a waiver."""
    if resource.type == CUSTOM_DB_ROLE:
        _check_role(resource, run.config, report)
    else:
        _check_user(resource, run, report)


def _is_mistaken(waiver: Waiver, resources: Sequence[Resource], run: Run) -> bool:
    """Whether the waiver's user is there with a mistake that has a finding of its own: refused, renamed, unreadable."""
    declared = {user.urn: user for user in resources if user.type == DATABASE_USER} | run.history.accounts
    waived = {each.user for each in run.config.waivers}
    for user in declared.values():
        view = user.read(user_view)
        roles = () if isinstance(view.roles, Marker) else view.roles
        renamed = view.name not in waived and any(_excess(role, run.config) for role in roles)
        if view.name == waiver.user or not isinstance(view.name, str) or renamed:
            return True
    return False


def check_stack(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """Every waiver names a decision and an action that its user really has; a waiver nobody needs is removed."""
    users = {user.read(user_view).name: user for user in resources if user.type == DATABASE_USER}
    whole = any(resource.type == SERVICE_ACCESS for resource in resources)
    root = next((resource for resource in resources if resource.type == STACK), None)
    for waiver in run.config.waivers:
        user = users.get(waiver.user)
        if user is not None:
            report.on(user)
        elif whole and root is not None and not _is_mistaken(waiver, resources, run):
            report.on(root)
        else:
            continue
        if not _accepted(run, waiver):
            report.finding(f"waiver {printable(waiver.id)} names no known decision record.")
        if user is None:
            report.finding(
                f"waiver {printable(waiver.id)} is stale: no user {printable(waiver.user)} is declared."
            )
            continue
        roles = user.read(user_view).roles
        if isinstance(roles, Marker):
            report.not_evaluated("roles", roles)
            continue
        held = frozenset().union(*(_waivable(role, run.config) for role in roles))
        unused = waiver.permits - held
        if unused:
            report.finding(
                f"waiver {printable(waiver.id)} is stale: the user cannot {printable(', '.join(sorted(unused)))}."
            )


RULE = Rule(
    name="audit-log-append-only",
    description="Only role_audit_writer grants more than FIND on agent_audit_log, save by waiver (ADR 0002, ADR 0006)",
    why="Privileges only add: one wider role anywhere makes the audit log changeable. ADR 0006 accepts "
    "app_write's reach as a cost, which has to stay visible; a database of its own for the log would end it.",
    source="ADR 0002",
    severity=Severity.CRITICAL,
    frameworks=(Framework.HIPAA_AUDIT, Framework.SOC2_LOGICAL_ACCESS),
    remediation="Drop the grant, or record a waiver with its decision in policy-config.json; declare roles first.",
    offending='DatabaseUser("u", roles=[{"role_name": "readWrite", "database_name": "askflorence"}], ...)',
    compliant='DatabaseUser("u", roles=[{"role_name": "read", "database_name": "askflorence"}], ...)',
    types=(DATABASE_USER, CUSTOM_DB_ROLE),
    check=check,
    check_stack=check_stack,
    advises=True,
)
