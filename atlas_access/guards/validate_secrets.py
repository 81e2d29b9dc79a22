"""Guard *validate-secrets*, the reading: takes each stored value, judges it, logs in with it, and drops it.

Read are the current versions; which ones tasks hold is pinned, and `prove` judges those. It must never print, log, keep
or raise a value, do anything with a credential but log in, or send it to a host that Atlas has not named.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from atlas_access.base import (
    ClusterAddresses,
    ConnectionInvalid,
    ConnectionString,
    EndpointRefused,
    Endpoints,
    Finding,
    Status,
    judge_options,
)
from atlas_access.clients import (
    AwsUnavailable,
    Server,
    ServerUnusable,
    judge_login,
    read_connection_string,
    wrong_account,
)
from atlas_access.guards.finding import Guard, Report, noted, report, wrong
from atlas_access.guards.stored_values import (
    MADE_ANEW,
    Wanted,
    database_users,
    host_problem,
    login_problem,
    problems,
    wanted_in,
)
from atlas_access.manifest import Manifest

_LOGIN_SECONDS = 5.0
_AT_ONCE = 8
_CURRENT = noted(
    "AWSCURRENT", 0, "the current versions were judged; those that tasks hold, `atlas-access prove` judges"
)


@dataclass(frozen=True)
class Cluster:
    """One environment's cluster by name, with its addresses where Atlas could be asked, else why not."""

    name: str
    addresses: ClusterAddresses | None
    why: str = ""


@dataclass(frozen=True)
class Place:
    """Where the values lie and how they are tried: the environment, its account and region, and whether to log in."""

    environment: str
    account: str
    region: str
    log_in: bool = True


def check(manifest: Manifest, place: Place, clusters: Mapping[str, Cluster], endpoints: Endpoints) -> Report:
    """Judge every secret that an environment's tasks receive. Raises EndpointRefused for an address off limits."""
    wanted = wanted_in(manifest, place.environment)
    elsewhere = _elsewhere(place, endpoints)
    if elsewhere:
        notes = [noted(each.secret, 0, f"not read: {elsewhere}", blocks=True) for each in wanted]
        return report(Guard.VALIDATE_SECRETS, len(wanted), (), notes)
    users = database_users(manifest)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        found = pool.map(lambda each: _judged(each, place, clusters[each.cluster], users, endpoints), wanted)
        parts = list(found)
    findings = [finding for found, _ in parts for finding in found]
    notes = [note for _, noted_here in parts for note in noted_here]
    return report(Guard.VALIDATE_SECRETS, len(wanted), findings, [_CURRENT, *notes])


def _elsewhere(place: Place, endpoints: Endpoints) -> str:
    """Why the credentials at hand can say nothing of the secrets, "" when they act in their account."""
    try:
        return wrong_account(place.environment, place.account, place.region, endpoints)
    except AwsUnavailable as error:
        return str(error)


def _judged(
    wanted: Wanted, place: Place, cluster: Cluster, users: frozenset[str], endpoints: Endpoints
) -> tuple[list[Finding], list[Finding]]:
    try:
        value = ConnectionString.parse(
            read_connection_string(wanted.secret, "", region=place.region, endpoints=endpoints)
        )
    except AwsUnavailable as error:
        if error.code == "ResourceNotFoundException":
            remedy = "Run `pulumi up` for the stack; atlas-access drift says more."
            return [wrong(wanted.secret, 0, "is declared, and not there", remedy)], []
        return [], [noted(wanted.secret, 0, f"not read: {error.why}", blocks=True)]
    except ConnectionInvalid as error:
        return [wrong(wanted.secret, 0, f"is no connection string: {error}", MADE_ANEW)], []
    findings = [wrong(wanted.secret, 0, what, remedy) for what, remedy in problems(wanted, value, users)]
    judged = judge_options(value.options)
    unknown = (each.message for each in judged if each.status is Status.UNKNOWN)
    notes = [noted(wanted.secret, 0, message, blocks=True) for message in unknown]
    host = host_problem(wanted, value, cluster.addresses, cluster.name)
    # The credential is not sent to a host that is not the cluster's, or that only looks like it.
    if host:
        return [*findings, wrong(wanted.secret, 0, host, MADE_ANEW)], notes
    if host is None or cluster.addresses is None:
        why = f"host not judged, and not logged in: {cluster.why or 'Atlas was not asked'}"
        notes.append(noted(wanted.secret, 0, why, blocks=True))
    elif any(each.status is Status.BAD for each in judged):
        notes.append(noted(wanted.secret, 0, "not logged in: its options weaken the connection"))
    elif not place.log_in:
        notes.append(noted(wanted.secret, 0, "not logged in, as asked"))
    else:
        _log_in(wanted, value, endpoints, findings, notes)
    return findings, notes


def _log_in(
    wanted: Wanted,
    value: ConnectionString,
    endpoints: Endpoints,
    findings: list[Finding],
    notes: list[Finding],
) -> None:
    try:
        with Server(value, endpoints, wait_seconds=_LOGIN_SECONDS) as server:
            refused = login_problem(judge_login(server.login(lambda: 0.0).answer))
    except EndpointRefused:
        findings.append(
            wrong(wanted.secret, 0, "leads to an address that this environment refuses", MADE_ANEW)
        )
        return
    except ServerUnusable as error:
        notes.append(noted(wanted.secret, 0, f"not judged: {error}", blocks=True))
        return
    if refused is None:
        where = f"by its {wanted.address.value} address"
        what = f"the server could not be reached {where}: not judged"
        notes.append(noted(wanted.secret, 0, what, blocks=True))
    elif refused:
        remedy = "Run `pulumi up --refresh`, which restores the user; if it stays, docs/runbooks/incident.md."
        findings.append(wrong(wanted.secret, 0, refused, remedy))
