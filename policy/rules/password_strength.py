"""Rule password-strength: long, alphanumeric, one per user. It sees a password's form and digest, never the text."""

from policy import adr
from policy.atlas import user_view
from policy.model import Framework, Rule, Severity
from policy.reader import Reader
from policy.report import Report
from policy.resources import DATABASE_USER, RANDOM_PASSWORD, Resource
from policy.run import Run
from policy.values import Marker

_OTHER_SIGN_INS = ("awsIamType", "ldapAuthType", "oidcAuthType", "x509Type")


def _check_generator(resource: Resource, report: Report) -> None:
    reader = Reader(resource.props)
    length, special = reader.number("length"), reader.flag("special")
    for path, part in (("length", length), ("special", special)):
        if isinstance(part, Marker):
            report.not_evaluated(path, part)
    if length is None or (isinstance(length, int | float) and length < adr.PASSWORD_LENGTH):
        report.finding(f"length: passwords have {adr.PASSWORD_LENGTH} characters or more.")
    if special is None or special is True:
        report.finding("special: has to be false; connection strings carry alphanumeric passwords unescaped.")


def _check_sign_in(resource: Resource, report: Report) -> None:
    reader = Reader(resource.props)
    for key in _OTHER_SIGN_INS:
        kind = reader.text(key)
        if isinstance(kind, Marker):
            report.not_evaluated(key, kind)
        elif kind not in (None, "", "NONE"):
            report.finding(f"{key}: has to be NONE; a user signs in with its password and nothing else.")


def _check_user(resource: Resource, run: Run, report: Report) -> None:
    _check_sign_in(resource, report)
    password = resource.read(user_view).password
    if isinstance(password, Marker):
        report.not_evaluated("password", password)
        return
    if password is None:
        if "password" not in resource.ignore_changes:
            report.finding(
                "has no password; only an adopted user may leave it out, with ignore_changes=['password']."
            )
        return
    if password.length < adr.PASSWORD_LENGTH:
        report.finding(f"password: has fewer than {adr.PASSWORD_LENGTH} characters.")
    if not password.alphanumeric:
        report.finding("password: has other than alphanumeric characters.")
    owner = run.history.passwords.get(password.digest, resource.urn)
    if owner != resource.urn:
        report.finding("password: another user of this stack has the same one.")


def check(resource: Resource, run: Run, report: Report) -> None:
    """Users' passwords, and the generators that make them."""
    if resource.type == RANDOM_PASSWORD:
        _check_generator(resource, report)
    else:
        _check_user(resource, run, report)


RULE = Rule(
    name="password-strength",
    description="Passwords have 32 or more alphanumeric characters and are unique per user (ADR 0006)",
    why="A shared password turns one leak into four; special characters break unescaped connection strings.",
    source="ADR 0006",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Give each user a RandomPassword of its own with length=32 and special=False.",
    offending='random.RandomPassword("p", length=16)',
    compliant='random.RandomPassword("p", length=32, special=False)',
    types=(DATABASE_USER, RANDOM_PASSWORD),
    check=check,
    after_creation=("password",),
)
