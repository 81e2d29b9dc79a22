"""What speaks against a secret's connection string before anybody logs in with it. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from atlas_access.base import ConnectionString, Finding, judge_options
from atlas_access.proof.evidence import Subject, doubtful, refuted
from atlas_access.proof.expectations import ADMIN
from atlas_access.proof.request import ProofRequest


def judge_secret(request: ProofRequest, connection: ConnectionString) -> Iterator[Finding]:
    """Find another user, database or host than declared, options that weaken the connection, and unknown ones."""
    expected = request.expectations
    user, hosts = connection.username, request.expected_hosts
    if user not in expected.logins:
        text = f"the secret holds the connection string of {user or 'no user'}, not of {expected.login}"
        yield refuted(Subject.SECRET, text)
    if not connection.password:
        yield refuted(Subject.SECRET, "the secret's connection string has no password")
    if request.equality and connection.database != expected.database:
        text = f"the secret's connection string names the database {connection.database}, not {expected.database}"
        yield refuted(Subject.SECRET, text)
    if hosts and set(map(_with_port, connection.hosts)) != {_with_port(host.lower()) for host in hosts}:
        text = f"the secret points at {', '.join(connection.hosts)}, not at {', '.join(hosts)}"
        yield refuted(Subject.SECRET, f"{text} (the {request.address} address of {expected.cluster})")
    for each in judge_options(connection.options):
        yield replace(each, subject="", code=str(Subject.SECRET))
    source = connection.option("authSource")
    if source is None and not connection.is_srv and connection.database not in (None, ADMIN):
        text = f"the option authSource is missing, so that {user} is looked for in {connection.database}"
        yield doubtful(Subject.SECRET, text, _ANEW)
    elif source not in (None, ADMIN):
        text = f"the option authSource is not {ADMIN}, so that {user} is looked for in {source}"
        yield doubtful(Subject.SECRET, text, _ANEW)


_ANEW = f"Write the secret anew with authSource={ADMIN}."


def _with_port(host: str) -> str:
    """The host as drivers read it; one of SRV has no port, and neither has the other it is compared with."""
    return host if ":" in host.rpartition("]")[2] else f"{host}:27017"
