"""Custom roles: exactly the law's, and the audit log append-only."""

from collections.abc import Sequence

from policy.atlas import RoleReference, role_view, user_view
from policy.law import Environment, Grant, UserLaw, Waiver
from policy.model import rule
from policy.report import Report, printable
from policy.resources import CUSTOM_DB_ROLE, DATABASE_USER, SERVICE_ACCESS, STACK, Resource
from policy.run import Run

_READ_WRITE = frozenset(
    {
        "INSERT",
        "UPDATE",
        "REMOVE",
        "DROP_COLLECTION",
        "CONVERT_TO_CAPPED",
        "RENAME_COLLECTION_SAME_DB",
        "CREATE_INDEX",
    }
)
"""What `readWrite` may do to the log besides FIND that forges, changes, erases, expires or hides rows."""

_INDEXES = frozenset({"CREATE_INDEX", "DROP_INDEX"})
"""What `readWrite` may do to every collection's indexes, which a running service is not meant to."""


@rule("roles-by-law", CUSTOM_DB_ROLE)
def check_law(resource: Resource, run: Run, report: Report) -> None:
    """Actions and collections are the law's: a missing one is as wrong as one too many."""
    home = run.own
    if not run.atlas_ours(resource):
        return
    role = resource.read(role_view)
    if not report.hides(role.inherited, "inheritedRoles") and role.inherited:
        report.finding(f"inheritedRoles: inherits from {len(role.inherited)} role(s); list the actions.")
    if report.hides(role.name, "roleName"):
        return
    if role.name is None or role.name in home.legacy_roles:
        return
    law = home.roles.get(role.name)
    if law is None:
        report.finding(f"roleName: the law names no role {printable(role.name)}.")
        return
    if report.hides(role.actions, "actions"):
        return
    held: set[Grant] = set()
    complete = readable = not any(problem.path.startswith("actions") for problem in role.problems)
    for grant in role.actions:
        place = (str(grant.database or ""), str(grant.collection or "*"))
        if report.hides(grant.hidden, grant.path):
            complete = False
        else:
            held.add((str(grant.action), *(("the cluster", "*") if grant.cluster is True else place)))
    for action, database, collection in sorted(held - law.grants) if readable else ():
        report.finding(printable(f"actions: {action} on {database}.{collection} is more than the law gives."))
    missing = sorted(law.grants - held)
    if missing and complete:
        listed = ", ".join(f"{action} on {collection}" for action, _, collection in missing)
        report.finding(printable(f"actions: lacks {listed}; narrower than the law is wrong too."))
    objection = run.law.objection_to_role(law)
    if objection and not missing and complete:
        report.finding(f"actions: are not decided: {objection}.")


def _excess(role: RoleReference, home: Environment) -> frozenset[str]:
    """What a role may do to the audit log besides FIND."""
    if (role.name, role.database) == ("readWrite", home.audit[0]):
        return _READ_WRITE
    law = home.roles.get(role.name) if isinstance(role.name, str) else None
    if law is None:
        return frozenset()
    append_only = {"FIND", "INSERT"} if role.name == home.audit_role else {"FIND"}
    return frozenset(action for action, *place in law.grants if tuple(place) == home.audit) - append_only


def _waivable(role: RoleReference, user: UserLaw, home: Environment) -> frozenset[str]:
    """What of a role a waiver has to name: its reach to the audit log, and a service's to every index."""
    served = any(
        not user.variables.isdisjoint(box.variables)
        for task in home.tasks.values()
        for box in task.containers.values()
        if task.services
    )
    indexes = (role.name, role.database) == ("readWrite", home.database) and served
    return _excess(role, home) | (_INDEXES if indexes else frozenset())


@rule("audit-log-append-only", DATABASE_USER)
def check_audit_log(resource: Resource, run: Run, report: Report) -> None:
    """A user reaches further than FIND on the audit log by the audit role, or by a waiver in force."""
    home = run.own
    if not run.atlas_ours(resource):
        return
    user = resource.read(user_view)
    law = home.user(user.name) if isinstance(user.name, str) else None
    if report.hides(user.roles, "roles"):
        return
    if law is None or {(role.name, role.database) for role in user.roles} != set(law.roles):
        return
    excess = frozenset().union(*(_waivable(role, law, home) for role in user.roles))
    if not excess:
        return
    waivers = [each for each in home.waivers if each.user == law.name]
    objections = [why for each in waivers if (why := run.law.objection_to(each))]
    valid = [each for each in waivers if not run.law.objection_to(each)]
    unwaived = excess.difference(*(waiver.permits for waiver in valid))
    place = ".".join(home.audit)
    if unwaived:
        why = "; ".join(objections) or "no waiver accepts it"
        report.finding(f"may {', '.join(sorted(unwaived))} on {place}: {why}.")
        return
    named = ", ".join(f"{waiver.id} ({waiver.decision})" for waiver in valid)
    report.advice(
        f"may {', '.join(sorted(excess))} on {place}; known and accepted by {named}.",
        "Move the audit log into a database of its own; then no waiver is needed.",
    )


@rule("audit-log-append-only", whole_stack=True)
def check_waivers(resources: Sequence[Resource], run: Run, report: Report) -> None:
    """A waiver that nobody needs is removed."""
    root = next((resource for resource in resources if resource.type == STACK), None)
    home = run.own
    if root is None or all(resource.type != SERVICE_ACCESS for resource in resources):
        return
    declared = run.history.accounts | {user.urn: user for user in resources if user.type == DATABASE_USER}
    ours = [user for user in declared.values() if run.atlas_ours(user)]
    names = {user.urn: user.read(user_view).name for user in ours}
    laws = {urn: home.user(name) if isinstance(name, str) else None for urn, name in names.items()}
    refused = None in laws.values()
    for waiver in home.waivers:
        user = next((each for each in ours if laws[each.urn] == home.users[waiver.user]), None)
        if user is not None:
            report.on(user)
            _check_used(waiver, user, home, report)
        elif not refused:  # a user that another rule refuses may be the waiver's, under a wrong name
            report.on(root)
            report.finding(
                f"waiver {printable(waiver.id)} is stale: {printable(waiver.user)} is not declared."
            )


def _check_used(waiver: Waiver, user: Resource, home: Environment, report: Report) -> None:
    roles = user.read(user_view).roles
    if report.hides(roles, "roles"):
        return
    law = home.user(waiver.user)
    if law is None or {(role.name, role.database) for role in roles} != set(law.roles):
        return
    unused = waiver.permits.difference(*(_waivable(role, law, home) for role in roles))
    if unused:
        report.finding(
            f"waiver {printable(waiver.id)} is stale: the user cannot {printable(', '.join(sorted(unused)))}."
        )
