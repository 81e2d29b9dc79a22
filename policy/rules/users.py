"""Database users: each one as the law has it, no more of them than decided, each with a password of its own."""

from policy.atlas import UserView, user_view
from policy.law import CUSTOM_ROLE_DATABASE, Environment, UserLaw
from policy.model import rule
from policy.reader import Reader
from policy.report import Report, printable
from policy.resources import DATABASE_USER, RANDOM_PASSWORD, Resource
from policy.run import Run, user_places
from policy.values import Marker

PASSWORD_LENGTH = 32
_SHOWN_ROLES = 3
_OTHER_SIGN_INS = ("awsIamType", "ldapAuthType", "oidcAuthType", "x509Type")


def _check_scope(user: UserView, home: Environment, run: Run, report: Report) -> None:
    if report.hides(user.scopes, "scopes"):
        return
    if len(user.scopes) != 1:
        report.finding("scopes: has to name one cluster; a user without scopes reaches every one.")
        return
    name, kind = user.scopes[0]
    for path, part in (("scopes[0].name", name), ("scopes[0].type", kind)):
        report.not_evaluated(path, part)
    if not isinstance(kind, Marker) and kind != "CLUSTER":
        report.finding("scopes[0].type: the scope has to be a CLUSTER.")
    elsewhere = {other.cluster for other in run.others}
    if isinstance(name, str) and name != home.cluster and name not in elsewhere:
        report.finding(f"scopes[0].name: has to be {home.cluster}.")


def _check_roles(user: UserView, law: UserLaw, home: Environment, run: Run, report: Report) -> None:
    if report.hides(user.roles, "roles"):
        return
    objection = run.law.objection_to_user(home, law)
    held, blind = set(), False
    for role in user.roles:
        parts = {"roleName": role.name, "databaseName": role.database, "collectionName": role.collection}
        for key, part in parts.items():
            blind |= report.hides(part, role.path.replace("roleName", key))
        if role.collection is not None and not isinstance(role.collection, Marker):
            report.finding(f"{role.path}: is narrowed to one collection; the law gives a database.")
        held.add((role.name, role.database))
    if blind or any(problem.path.startswith("roles") for problem in user.problems):
        return
    wanted = " and ".join(_shown(*role) for role in law.roles)
    if law.name == run.rotating and held == {home.revoked_role}:  # it leaves, after a leak
        return
    if len(held) != len(user.roles) or held != set(law.roles):
        given = ", ".join(_shown(role.name, role.database) for role in user.roles[:_SHOWN_ROLES]) or "none"
        report.finding(f"roles: has {given}; the law gives {law.name} {wanted}.")
    elif objection:
        report.finding(f"roles: {wanted} is not decided: {objection}.")
    for role in user.roles:
        declared = (user.project, role.name) in run.history.roles
        if role.database == CUSTOM_ROLE_DATABASE and held == set(law.roles) and not declared:
            report.finding(f"{role.path}: {printable(str(role.name))} is not declared before its user.")


def _shown(name: object, database: object) -> str:
    return printable(f"{name}@{database}")


@rule("users-by-law", DATABASE_USER)
def check_law(resource: Resource, run: Run, report: Report) -> None:
    """Name, roles, authentication database and scope are the law's."""
    user, home = resource.read(user_view), run.own
    if not run.atlas_ours(resource) or report.hides(user.name, "username"):
        return
    if user.name is None or user.name in home.legacy_users or home.is_one_tenants(user.name):
        return
    law = home.user(user.name)
    if law is None:
        report.finding(f"username: the law names no user {printable(user.name)}.")
        return
    for name in (law.name, f"{law.name}{home.second_name}"):
        by = run.history.declared.get((user.project, user.sign_in, name), resource.urn)
        if by != resource.urn and (name == user.name or law.name != run.rotating):
            report.finding(f"username: {name} is declared too; a user has one, or two while it rotates.")
    hidden = report.hides(user.sign_in, "authDatabaseName")
    if not hidden and user.sign_in not in (None, CUSTOM_ROLE_DATABASE):
        report.finding(f"authDatabaseName: has to be {CUSTOM_ROLE_DATABASE}; elsewhere it is another user.")
    _check_scope(user, home, run, report)
    _check_roles(user, law, home, run, report)


@rule("user-cap", DATABASE_USER)
def check_cap(resource: Resource, run: Run, report: Report) -> None:
    """The user above the cap is refused when it is registered; the last one is announced.

    A user without scopes counts for the whole project, and with every cluster of it.
    """
    if not run.atlas_ours(resource):
        return
    user, home = resource.read(user_view), run.own
    for path, part in (("projectId", user.project), ("scopes", user.scopes), ("username", user.name)):
        report.not_evaluated(path, part)
    if isinstance(user.name, str) and home.is_one_tenants(user.name):
        report.finding("username: is one tenant's; views and the JWT's identity keep tenants apart.")
        return
    cap, objection = run.law.cap(home)
    users, places = run.history.users, user_places(resource)
    reached = [users.get(place, set()) | users.get((place[0], ""), set()) for place in places]
    count = max((len(others | {resource.urn}) for others in reached), default=0)
    if count > cap:
        more = f"; a higher cap is not in force: {objection}" if objection else ""
        report.finding(f"is user {count} of its cluster; {cap} are the most{more}.")
    elif count == cap:
        report.advice(f"is user {count} of {cap} of its cluster: the cap is reached.")


def _check_generator(resource: Resource, report: Report) -> None:
    reader = Reader(resource.props)
    length, special = reader.number("length"), reader.flag("special")
    report.not_evaluated("length", length)
    report.not_evaluated("special", special)
    if length is None or (isinstance(length, int | float) and length < PASSWORD_LENGTH):
        report.finding(f"length: passwords have {PASSWORD_LENGTH} characters or more.")
    if special is None or special is True:
        report.finding("special: has to be false; connection strings carry alphanumeric passwords unescaped.")


@rule("password-strength", DATABASE_USER, RANDOM_PASSWORD)
def check_password(resource: Resource, run: Run, report: Report) -> None:
    """Users' passwords, and the generators of our components that make them."""
    if resource.type == RANDOM_PASSWORD:
        if resource.in_our_component:
            _check_generator(resource, report)
        return
    if not run.atlas_ours(resource):
        return
    reader = Reader(resource.props)
    for key in _OTHER_SIGN_INS:
        kind = reader.text(key)
        if not report.hides(kind, key) and kind not in (None, "", "NONE"):
            report.finding(f"{key}: has to be NONE; a user signs in with its password and nothing else.")
    password = resource.read(user_view).password
    if report.hides(password, "password"):
        return
    if password is None:
        if "password" not in resource.ignore_changes:
            report.finding("has no password; only an adopted user (ignore_changes=['password']) may.")
    else:
        if password.length < PASSWORD_LENGTH:
            report.finding(f"password: has fewer than {PASSWORD_LENGTH} characters.")
        if not password.alphanumeric:
            report.finding("password: has other than alphanumeric characters.")
        if run.history.passwords.get(password, (resource.urn,))[0] != resource.urn:
            report.finding("password: another user of this stack has the same one.")
