"""Guard *validate-secrets*, the judging: a stored value is a well-formed connection string of the right credential.

Pure. Of a value only its user's name appears in a finding, when that is one of the manifest's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from atlas_access.base import (
    Address,
    AddressForm,
    AddressMissing,
    ClusterAddresses,
    ConnectionInvalid,
    ConnectionString,
    Status,
    both_logins,
    judge_options,
)
from atlas_access.clients import Login
from atlas_access.manifest import Binding, Manifest

ATLAS_DOMAIN = ".mongodb.net"
MADE_ANEW = (
    "Put AWSCURRENT back on the version that tasks are bound to, or put the right value into the secret."
)


@dataclass(frozen=True)
class Wanted:
    """What one secret has to hold: whose credential, of which environment's cluster, by which address."""

    secret: str
    user: str
    cluster: str
    address: Address
    database: str


def wanted_in(manifest: Manifest, environment: str) -> tuple[Wanted, ...]:
    """The secrets of an environment's account that hold a credential, each once, in the manifest's order."""
    listed = (wanted_of(manifest, binding) for binding in manifest.credentials_for(environment))
    return tuple(dict.fromkeys(listed))


def wanted_of(manifest: Manifest, binding: Binding) -> Wanted:
    """What a binding's value has to hold."""
    return Wanted(binding.secret_name, binding.user, binding.cluster, binding.address, manifest.database)


def database_users(manifest: Manifest) -> frozenset[str]:
    """The users whose names may be shown."""
    return manifest.logins | {user.name for user in manifest.legacy}


def problems(
    wanted: Wanted, value: ConnectionString, database_users: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with a value besides its host, each with its remedy."""
    if value.username not in both_logins(wanted.user):
        holder = value.username if value.username in database_users else "another user"
        yield f"holds the credential of {holder}, not of {wanted.user}", MADE_ANEW
    if value.password is None or not value.password.reveal():
        yield "holds no password", MADE_ANEW
    if value.database != wanted.database:
        yield f"does not name the database {wanted.database}", MADE_ANEW
    weak = [each for each in judge_options(value.options) if each.status is Status.BAD]
    for each in weak:
        yield f"has the option {each.subject}, which weakens the connection", each.remedy
    options = {"retryWrites": "true", "w": "majority"} | ({} if value.is_srv else {"authSource": "admin"})
    for name, content in options.items():
        if (value.option(name) or "").lower() != content and name not in {each.subject for each in weak}:
            yield f"lacks the option {name}={content}", MADE_ANEW


def host_problem(
    wanted: Wanted, value: ConnectionString, addresses: ClusterAddresses | None, cluster: str
) -> str | None:
    """What is wrong with a value's hosts, "" when they are right, None when that is unknown.

    Without `addresses` (Atlas was not asked) the name decides: Atlas begins a host's name with the cluster's, and marks
    a private endpoint by `-pl-`. A wrong name is wrong; a right one is a likeness, for anybody's cluster may bear it.
    """
    wrong = f"does not lead to the {wanted.address.value} address of cluster {cluster}"
    if addresses is None:
        if not all(host.partition(":")[0].endswith(ATLAS_DOMAIN) for host in value.hosts):
            return None
        labels = [host.partition(".")[0] for host in value.hosts]
        private = wanted.address is Address.PRIVATE
        right = all(_named_after(label, cluster) and ("-pl-" in label) is private for label in labels)
        return "" if right else wrong
    try:
        form = AddressForm.SRV if value.is_srv else AddressForm.STANDARD
        base = ConnectionString.parse(addresses.base(wanted.address, form))
    except (AddressMissing, ConnectionInvalid):
        return wrong
    return "" if set(base.hosts) == set(value.hosts) else wrong


def login_problem(login: Login) -> str | None:
    """What a login says of a value: "" when it works, a problem when it is refused, None when nobody answered."""
    return {Login.DONE: "", Login.REFUSED: "is refused by the server"}.get(login)


def _named_after(label: str, cluster: str) -> bool:
    rest = label.removeprefix(cluster.lower())
    return rest != label and (not rest or rest.startswith(("-pl-", "-shard-")))
