"""Mutants of the four credentials, made directly in the server: each grants too much or too little, or is swapped."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from mongod_fixture import LOOPBACK, Cluster

from atlas_access.manifest.privileges import declared_privileges
from atlas_access.privileges.actions import ATLAS_ACTIONS, ActionScope, display_name, mongo_actions
from atlas_access.privileges.model import Privileges, builtin_privileges, server_privileges
from atlas_access.proof.catalogue import operation
from atlas_access.proof.evidence import Proof, Subject
from atlas_access.proof.expectations import Expectations, Expected, suffices
from atlas_access.proof.run import prove
from atlas_access.proof.verdict import Outcome, Verdict

VERSION = "6.0.5"
OTHER_COLLECTION = "plans"
OTHER_DATABASE = "askflorence_elsewhere"
DATABASE_ROLES = ("read", "readWrite", "dbAdmin", "dbOwner", "userAdmin")
ADMIN_ROLES = (
    *("readAnyDatabase", "readWriteAnyDatabase", "userAdminAnyDatabase", "dbAdminAnyDatabase"),
    *("clusterAdmin", "clusterManager", "clusterMonitor", "hostManager", "enableSharding"),
    *("backup", "restore", "root"),
)
CHARACTERISTIC = ("find", "insert", "update", "delete", "drop", "createIndexes")
UPDATE_AUDIT = {"resource": {"db": "askflorence", "collection": "agent_audit_log"}, "actions": ["update"]}


@dataclass
class Mutant:
    """What is changed for one user, and the words that the finding on this subject must hold."""

    user: str
    what: str
    subject: Subject
    words: tuple[str, ...]
    privileges: list[dict[str, Any]] | None = None
    inherits: list[dict[str, str]] = field(default_factory=list)
    roles: list[dict[str, str]] | None = None
    extra: list[dict[str, Any]] | None = None
    login: str | None = None
    address: str | None = None
    holds: Privileges | None = None
    """What the mutant can really do, None where nobody wrote it down (the admin roles)."""

    def caught(self, proof: Proof, changed: frozenset[tuple[str, str]]) -> bool:
        """Whether the proof is refuted for the right reason, and by each attempt whose outcome has `changed`."""
        refuted = {(each.operation, each.namespace) for each in proof.refuted}
        return (
            proof.verdict is Verdict.REFUTED
            and (self.holds is None or changed == refuted)
            and any(
                each.code == self.subject and all(word in each.message for word in self.words)
                for each in proof.findings
            )
        )


class Workshop:
    """Makes mutants of one user, one after another, in roles that belong to this user alone."""

    def __init__(self, cluster: Cluster, user: str) -> None:
        self._cluster, self._user = cluster, user
        self._extra = f"role_extra_{user}"
        self._request = cluster.request(user)
        admin = cluster.root.admin
        admin.command("createRole", self._extra, privileges=[], roles=[])

    @property
    def extra(self) -> dict[str, str]:
        return {"role": self._extra, "db": "admin"}

    def escapes(self, mutant: Mutant) -> Proof | None:
        """Return the proof of a mutant that it does not catch, None when it does.

        Of the table, those cells are tried that the mutant changes, and a few that distinguish it from the right user.
        """
        whole = self._request.expectations
        changed = _changed(whole, mutant.holds or frozenset())
        cells = tuple(cell for cell in whole.table if cell in changed or _characteristic(whole, cell))
        proof = self._proof(mutant, replace(whole, table=cells))
        named = frozenset((cell.operation, str(cell.place)) for cell in changed)
        return None if mutant.caught(proof, named) else proof

    def _proof(self, mutant: Mutant, expected: Expectations) -> Proof:
        """Make the mutant, prove the credential, and put the user back."""
        cluster, user = self._cluster, self._user
        declared = cluster.declared_roles(user)
        if mutant.extra is not None:
            cluster.set_role(self._extra, mutant.extra, mutant.inherits)
        if mutant.privileges is not None:
            inherits = [] if mutant.extra is not None else mutant.inherits
            cluster.set_role(declared[0]["role"], mutant.privileges, inherits)
        if mutant.roles is not None:
            cluster.set_user(user, mutant.roles)
        try:
            text = cluster.uri(user, login=mutant.login, address=mutant.address)
            request = replace(self._request, expectations=expected)
            return prove(request, LOOPBACK, read_secret=lambda: text)
        finally:
            if mutant.roles is not None:
                cluster.set_user(user, declared)
            if mutant.privileges is not None:
                cluster.set_role(declared[0]["role"], cluster.declared_privileges(declared[0]["role"]))

    def mutants(self) -> Iterator[Mutant]:
        """Every mutant of this user."""
        yield from self._additions()
        yield from self._removals()
        yield from self._more_roles()
        yield from self._swaps()

    def _custom(self) -> str | None:
        role = self._cluster.manifest.user(self._user).role
        return None if role.is_builtin else role.name

    def _additions(self) -> Iterator[Mutant]:
        user, role = self._user, self._custom()
        declared = self._cluster.declared_roles(user)
        held = declared_privileges(self._cluster.manifest, user, VERSION)
        for atlas, action in _addable():
            for resource, words in _resources(atlas):
                key = (resource.get("db"), resource.get("collection"), action)
                if key in {(each.database, each.collection, each.action) for each in held}:
                    continue
                extra = {"resource": resource, "actions": [action]}
                what = f"{user}: {atlas} on {words}"
                expected = (display_name(action), words)
                holds = held | server_privileges([extra])
                changes: dict[str, Any] = {"extra": [extra], "roles": [*declared, self.extra]}
                if role is not None:
                    changes = {"privileges": [*self._cluster.declared_privileges(role), extra]}
                yield Mutant(user, what, Subject.EXCESS, expected, **changes, holds=holds)

    def _removals(self) -> Iterator[Mutant]:
        user, role = self._user, self._custom()
        if role is not None:
            whole = self._cluster.declared_privileges(role)
            for number, privilege in enumerate(whole):
                rest = whole[:number] + whole[number + 1 :]
                (action,) = privilege["actions"]
                words = (display_name(action), privilege["resource"]["collection"])
                what, holds = f"{user} without {words}", server_privileges(rest)
                yield Mutant(user, what, Subject.MISSING, words, privileges=rest, holds=holds)
            return
        held = sorted(declared_privileges(self._cluster.manifest, user, VERSION))
        for lost in sorted({each.action for each in held}):
            rest = [
                {"resource": {"db": each.database, "collection": each.collection}, "actions": [each.action]}
                for each in held
                if each.action != lost
            ]
            words = (display_name(lost), "every collection of askflorence")
            changes = {"extra": rest, "roles": [self.extra], "holds": server_privileges(rest)}
            yield Mutant(user, f"{user} without {lost}", Subject.MISSING, words, **changes)

    def _more_roles(self) -> Iterator[Mutant]:
        user, role = self._user, self._custom()
        declared = self._cluster.declared_roles(user)
        builtin = [{"role": name, "db": "askflorence"} for name in DATABASE_ROLES]
        builtin += [{"role": name, "db": "admin"} for name in ADMIN_ROLES]
        for each in builtin:
            if each in declared:
                continue
            name = f"{each['role']}@{each['db']}"
            holds = self._with(each)
            roles = [*declared, each]
            yield Mutant(user, f"{user} with {name}", Subject.ROLES, (name,), roles=roles, holds=holds)
            more: dict[str, Any] = {"inherits": [each], "holds": holds}
            if role is not None:
                whole = self._cluster.declared_privileges(role)
                yield Mutant(user, f"{user} inherits {name}", Subject.EXCESS, (), privileges=whole, **more)
            else:
                what, more["roles"] = f"{user} with a role that inherits {name}", [*declared, self.extra]
                yield Mutant(user, what, Subject.ROLES, (self._extra,), extra=[], **more)

    def _with(self, role: dict[str, str]) -> Privileges | None:
        """What the user holds with one more built-in role, None where its privileges are not written down here."""
        held = declared_privileges(self._cluster.manifest, self._user, VERSION)
        try:
            return held | builtin_privileges(role["role"], role["db"], VERSION)
        except ValueError:
            return None

    def _swaps(self) -> Iterator[Mutant]:
        for other in self._cluster.manifest.users:
            if other.name != self._user:
                what = f"{self._user} with the secret of {other.name}"
                yield Mutant(self._user, what, Subject.SECRET, (other.name,), login=other.name)
        elsewhere = "127.0.0.1:1"
        what = f"{self._user} with a secret of the other cluster"
        yield Mutant(self._user, what, Subject.SECRET, (elsewhere,), address=elsewhere)


def _changed(expected: Expectations, holds: Privileges) -> frozenset[Expected]:
    """The cells whose outcome is another one for somebody who holds these privileges."""
    return frozenset(
        cell
        for cell in expected.table
        if holds
        and not _would_show_more(holds, cell)
        and suffices(holds, operation(cell.operation), cell.place, expected.source_for(cell.place))
        is not (cell.outcome is Outcome.ALLOWED)
    )


def _would_show_more(holds: Privileges, cell: Expected) -> bool:
    """Whether the server refuses a rename because its name is readable and its source is not (measured on 6.0.5)."""
    find = [each for each in holds if each.action == "find"]
    database, collection = cell.place.database, cell.place.collection
    return (
        cell.operation == "renameCollection onto it"
        and any(each.covers(database, collection) for each in find)
        and not any(each.covers(database, "") for each in find)
    )


def _characteristic(expected: Expectations, cell: Expected) -> bool:
    return cell.operation in CHARACTERISTIC and cell.place in (expected.audit, *expected.sources)


def _addable() -> Iterator[tuple[str, str]]:
    for name in ATLAS_ACTIONS:
        for action in mongo_actions(name, VERSION):
            yield name, action


def _resources(atlas: str) -> list[tuple[dict[str, Any], str]]:
    """Return what Atlas can grant the action on, and how a finding names it."""
    scope = ATLAS_ACTIONS[atlas].scope
    if scope is ActionScope.CLUSTER:
        return [({"cluster": True}, "the cluster")]
    databases: list[tuple[dict[str, Any], str]] = [
        ({"db": "askflorence", "collection": ""}, "every collection of askflorence"),
        ({"db": OTHER_DATABASE, "collection": ""}, f"every collection of {OTHER_DATABASE}"),
    ]
    if scope is ActionScope.DATABASE:
        return databases
    names = ("agent_audit_log", OTHER_COLLECTION)
    collections = [({"db": "askflorence", "collection": name}, f"askflorence.{name}") for name in names]
    return [*collections, *databases]
