"""Secrets: named, encrypted, kept and protected by the law, and each leading where the law says."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from policy.credentials import Password
from policy.iam import own_policy_view
from policy.law import Environment, SecretLaw
from policy.model import rule
from policy.reader import Reader
from policy.report import Report, printable
from policy.resources import (
    CUSTOM_DB_ROLE,
    DATABASE_USER,
    KEY_ALIAS,
    SECRET,
    SECRET_ROTATION,
    SECRET_VERSION,
    Resource,
)
from policy.run import Run
from policy.secret_reference import parse_secret_reference
from policy.values import Marker, Text

RECOVERY_WINDOW_DAYS = 30
_KEY = re.compile(
    r"(?:arn:aws[a-z-]*:kms:[a-z0-9-]+:(?P<account>\d{12}):(?:key/)?)?(?:(?P<alias>alias/.+)|(?P<id>[0-9a-zA-Z-]{8,}))"
)
_ADDRESS = re.compile(
    r"mongodb(?:\+srv)?://(?:(?P<user>[^:@/\s]*)(?::(?P<password>[^@/\s]*))?@)?(?P<hosts>[^/?\s]+)",
    re.IGNORECASE,
)
_LOOPBACK = re.compile(r"127(?:\.\d{1,3}){3}|localhost|\[::1\]")


def _ours(resource: Resource, name: Text | None, run: Run) -> bool:
    return resource.in_our_component or run.secret_ours(name)


def _check_key(key: Text | None, home: Environment, report: Report) -> None:
    if report.hides(key, "kmsKeyId"):
        return
    if key is None:
        report.finding("kmsKeyId: is absent or no text, so the default key would be used.")
        return
    named = _KEY.fullmatch(key)
    allowed = {home.key_alias, *(home.keys or ([named["id"]] if named is not None else []))}
    own = named is not None and named["account"] in (None, home.account)
    if named is None or not own or allowed.isdisjoint((key, named["alias"] or named["id"])):
        report.finding(f"kmsKeyId: has to be {home.key_alias} or its ARN, no key of AWS or another account.")


def _check_name(name: Text | None, home: Environment, run: Run, report: Report) -> None:
    if name is None:
        report.finding(f"name: has to be given and to begin with {home.secret_prefix}.")
    elif isinstance(name, Marker) or name in home.secrets or name in home.legacy_secrets:
        return
    elif all(not name.startswith(other.secret_prefix) for other in run.others):
        report.finding(f"name: the law names no secret {printable(name)}.")


@rule("secret-settings", SECRET, SECRET_ROTATION, KEY_ALIAS)
def check_settings(resource: Resource, run: Run, report: Report) -> None:
    """Name, key, recovery window, copies and rotation of our secrets."""
    home, reader = run.own, Reader(resource.props)
    name = reader.text("name")
    report.not_evaluated("name", name)
    if resource.type == KEY_ALIAS:
        prefix = reader.text("namePrefix")
        report.not_evaluated("namePrefix", prefix)
        for alias in (each.key_alias for each in run.law.environments):
            if name == alias or str(prefix).startswith(alias):
                report.finding(f"name: points {alias} at a key, which is not this stack's to change.")
        return
    if resource.type == SECRET_ROTATION:
        secret = reader.text("secretId")
        report.not_evaluated("secretId", secret)
        if run.secret_ours(secret):
            report.finding("secretId: rotation by Secrets Manager changes what the pinned version holds.")
        return
    if not _ours(resource, name or reader.text("namePrefix"), run):
        return
    _check_name(name, home, run, report)
    _check_key(reader.text("kmsKeyId"), home, report)
    days = reader.number("recoveryWindowInDays")
    wrong = any(each.path == "recoveryWindowInDays" for each in reader.problems)
    if not report.hides(days, "recoveryWindowInDays") and (wrong or days not in (None, RECOVERY_WINDOW_DAYS)):
        report.finding(f"recoveryWindowInDays: has to be {RECOVERY_WINDOW_DAYS}.")
    replicas = reader.objects("replicas")
    if not report.hides(replicas, "replicas") and replicas:
        report.finding("replicas: a copy in another region is read by roles that no rule sees.")
    own = resource.read(own_policy_view)
    report.not_evaluated("policy", own.unseen)
    for statement in own.statements:
        report.finding(f"{statement.path}: the secret itself grants; the execution role has to.")


@rule("protected-resources", SECRET, DATABASE_USER, CUSTOM_DB_ROLE)
def check_protected(resource: Resource, run: Run, report: Report) -> None:
    """The option protect is on, or the stack's settings announce that it is being taken off."""
    secret = resource.type == SECRET
    named = {SECRET: "name", CUSTOM_DB_ROLE: "roleName", DATABASE_USER: "username"}[resource.type]
    name = Reader(resource.props).text(named)
    if not (_ours(resource, name, run) if secret else run.atlas_ours(resource)):
        return
    law = run.home.user(name) if run.home is not None and isinstance(name, str) and not secret else None
    rotates = resource.type == DATABASE_USER and law is not None and law.name == run.rotating
    if resource.delete_before_replace:
        report.finding("is deleted before it is replaced; tasks would lose a credential that they use.")
    if resource.protect or rotates:
        return
    if run.unprotecting or name in run.removing:
        report.advice("is not protected, as the stack's settings ask; a later update or destroy removes it.")
    else:
        report.finding("is not protected; a stray edit could delete a credential that tasks consume.")


def _addresses(text: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for match in _ADDRESS.finditer(text):
        hosts = tuple(host.rpartition(":")[0] or host for host in match["hosts"].split(","))
        yield unquote(match["user"] or ""), unquote(match["password"] or ""), hosts


def _check_known(law: SecretLaw, text: str, run: Run, report: Report) -> None:
    found = list(_addresses(text))
    if len(found) != 1:
        report.finding("secretString: is not one connection string.")
        return
    ((user, password, hosts),) = found
    owner = run.law.environment(law.cluster)
    expected = owner.user(user) if owner is not None else None
    if expected is None or expected.name != law.user:
        report.finding(f"secretString: signs in as another user than {law.user}.")
    for host in hosts:
        home = run.law.home_of_host(host)
        if not _LOOPBACK.fullmatch(host) and (home is None or home.name != law.cluster):
            report.finding(f"secretString: does not lead to the cluster of {law.cluster}.")
            break
    holder = run.history.passwords.get(Password.of(password))
    if holder is not None and owner is not None and owner.user(holder[1]) not in (None, expected):
        report.finding(f"secretString: has the password of another user than {law.user}.")


@rule("secret-value", SECRET_VERSION)
def check_value(resource: Resource, run: Run, report: Report) -> None:
    """A version of our secret leads to the law's cluster as the law's user; nobody else's secret holds one of ours."""
    home, reader = run.own, Reader(resource.props)
    secret, value = reader.text("secretId"), reader.text("secretString", "secretStringWo")
    report.not_evaluated("secretId", secret)
    reference = parse_secret_reference(secret) if isinstance(secret, str) else None
    name = reference.name if reference is not None else secret
    law = home.secrets.get(name) if isinstance(name, str) else None
    if isinstance(value, Marker):
        if law is not None or resource.in_our_component or isinstance(secret, Marker):
            report.not_evaluated("secretString", value)
        return
    if law is not None:
        if value is None:
            report.finding("secretString: a secret of ours holds a text, in which its user can be seen.")
        else:
            _check_known(law, value, run, report)
    elif value is not None and not isinstance(secret, Marker) and not run.secret_ours(secret):
        for _, password, hosts in _addresses(value):
            if password and any(run.law.home_of_host(host) for host in hosts):
                report.finding("secretString: leads to a cluster of ours; the law names no such secret.")
