"""One cluster's custom roles and database users (ADR 0006), roles first.

Adopted roles and users exist already: they are imported, protected, kept when the stack goes, and their passwords
are never touched. Every other user gets a password of its own, which leaves this component only inside a connection
string.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_mongodbatlas as mongodbatlas
import pulumi_random as random

from atlas_access.base import (
    REVOKED,
    Address,
    AddressForm,
    AddressMissing,
    ClusterAddresses,
    ConnectionInvalid,
    ConnectionString,
    Generations,
    HeldRole,
    PrivateEndpoint,
    compose,
    login_of,
)
from atlas_access.clients import MADE_LABEL
from atlas_access.manifest import ADMIN_DATABASE, CustomRole, Manifest, User
from atlas_access.privileges import version_warning
from components.taken_over import Existing

#: Alphanumeric, so that no driver or shell has to unquote it.
PASSWORD_LENGTH = 32


@dataclass(frozen=True)
class ClusterAccessArgs:
    """What is declared, and where: an Atlas project and its cluster; `existing` is to be taken over.

    `passwords` counts how often a password was replaced in place, by login name. The other generation of a user that
    rotates is declared besides with `leave`. `removing` are the names of users and roles that are not protected any
    more.
    """

    manifest: Manifest
    project_id: str
    cluster: str
    address_form: AddressForm
    protect: bool
    generations: Generations
    passwords: Mapping[str, int]
    existing: Existing = field(default_factory=Existing)
    removing: Collection[str] = ()


class ClusterAccess(pulumi.ComponentResource):
    """Custom roles and database users of one cluster."""

    def __init__(
        self, name: str, args: ClusterAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            "atlas-access:index:ClusterAccess",
            name,
            {"projectId": args.project_id, "cluster": args.cluster},
            opts,
        )
        self._args = args
        self._roles = {role.name: self._role(role) for role in args.manifest.roles}
        self._passwords: dict[tuple[str, int], pulumi.Output[str]] = {}
        self.users = {
            user.name: self._user(user, args.generations.generation(user.name))
            for user in args.manifest.users
        }
        self._addresses = mongodbatlas.get_advanced_cluster_output(
            project_id=args.project_id,
            name=args.cluster,
            opts=pulumi.InvokeOutputOptions(parent=self),
        ).apply(self._observed)
        self.register_outputs({"users": sorted(self.users)})

    @property
    def names(self) -> list[str]:
        """The names of the users and roles that are declared."""
        return [*self.users, *self._roles]

    def _observed(self, cluster: mongodbatlas.GetAdvancedClusterResult) -> ClusterAddresses:
        """The cluster's addresses; warns, in a preview too, where proofs do not know its version."""
        if warning := version_warning(cluster.mongo_db_version or ""):
            pulumi.log.warn(warning, self)
        return _addresses(self._args.cluster, cluster)

    @property
    def current(self) -> Sequence[pulumi.Resource]:
        """The roles, and the users of the wanted generations: what tasks need."""
        return [*self._roles.values(), *self.users.values()]

    def leave(
        self, user: str, generation: int, after: Sequence[pulumi.Resource], *, revoked: bool
    ) -> mongodbatlas.DatabaseUser:
        """Declare the other generation of the user that rotates; `revoked`: without its roles, once `after` is done."""
        named = self._args.manifest.user(user)
        held = [REVOKED] if revoked else None
        return self._user(named, generation, held=held, after=after if revoked else ())

    def connection(self, user: str, address: Address, generation: int) -> pulumi.Output[str]:
        """A generation's connection string by that address, secret; it waits for the wanted user to exist.

        Raises KeyError for an adopted user: nobody here knows its password.
        """
        database, form = self._args.manifest.database, self._args.address_form
        wanted = generation == self._args.generations.generation(user)
        login = self.users[user].username if wanted else login_of(user, generation)

        def composed(parts: tuple[ClusterAddresses, str, str]) -> str:
            addresses, username, password = parts
            try:
                return compose(addresses.base(address, form), username, password, database)
            except (AddressMissing, ConnectionInvalid) as error:
                raise pulumi.RunError(str(error)) from None

        return pulumi.Output.secret(
            pulumi.Output.all(self._addresses, login, self._password(user, generation)).apply(
                lambda parts: composed((parts[0], parts[1], parts[2]))
            )
        )

    def hosts(self, address: Address) -> pulumi.Output[list[str]]:
        """The hosts that a connection string by that address must name, as `host:port`."""
        form = self._args.address_form

        def named(addresses: ClusterAddresses) -> list[str]:
            try:
                return list(ConnectionString.parse(addresses.base(address, form)).hosts)
            except (AddressMissing, ConnectionInvalid) as error:
                raise pulumi.RunError(str(error)) from None

        hosts: pulumi.Output[list[str]] = self._addresses.apply(named)
        return hosts

    def public_address(self) -> pulumi.Output[str]:
        """The cluster's public connection string, without a user; "" where Atlas gives none."""
        form = self._args.address_form

        def base(addresses: ClusterAddresses) -> str:
            try:
                return addresses.base(Address.PUBLIC, form)
            except AddressMissing:
                return ""

        found: pulumi.Output[str] = self._addresses.apply(base)
        return found

    def _role(self, role: CustomRole) -> mongodbatlas.CustomDbRole:
        """One action, many resources: Atlas refuses an action that is listed twice."""
        manifest = self._args.manifest
        return mongodbatlas.CustomDbRole(
            role.name,
            project_id=self._args.project_id,
            role_name=role.name,
            actions=[
                mongodbatlas.CustomDbRoleActionArgs(
                    action=grant.action,
                    resources=[
                        mongodbatlas.CustomDbRoleActionResourceArgs(
                            database_name=manifest.database_of(collection), collection_name=collection
                        )
                        for collection in grant.collections
                    ],
                )
                for grant in role.grants
            ],
            opts=self._options(
                role.name,
                adopted=role.adopted,
                existing=role.name in self._args.existing.roles,
                import_id=f"{self._args.project_id}-{role.name}",
            ),
        )

    def _password(self, user: str, generation: int) -> pulumi.Output[str]:
        """A generation's own password: a returning name never brings its old one back."""
        key = (user, generation)
        if key not in self._passwords:
            if generation == 1 and self._args.manifest.user(user).adopted:
                raise KeyError(user)
            replaced = self._args.passwords.get(login_of(user, generation), 0)
            generated = random.RandomPassword(
                user if generation == 1 else f"{user}-{generation}",
                length=PASSWORD_LENGTH,
                special=False,
                keepers={"replaced": str(replaced)} if replaced else None,
                opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["result"]),
            )
            self._passwords[key] = generated.result
        return self._passwords[key]

    def _user(
        self,
        user: User,
        generation: int,
        *,
        held: Iterable[HeldRole] | None = None,
        after: Sequence[pulumi.Resource] = (),
    ) -> mongodbatlas.DatabaseUser:
        adopted = user.adopted and generation == 1
        login = login_of(user.name, generation)
        roles = held or [HeldRole(role.name, role.database) for role in user.roles]
        existing, (key, value) = login in self._args.existing.users, MADE_LABEL
        return mongodbatlas.DatabaseUser(
            login,
            project_id=self._args.project_id,
            auth_database_name=ADMIN_DATABASE,
            username=login,
            password=None if adopted else self._password(user.name, generation),
            roles=[
                mongodbatlas.DatabaseUserRoleArgs(role_name=role.name, database_name=role.database)
                for role in roles
            ],
            scopes=[mongodbatlas.DatabaseUserScopeArgs(name=self._args.cluster, type="CLUSTER")],
            labels=None if adopted else [mongodbatlas.DatabaseUserLabelArgs(key=key, value=value)],
            opts=pulumi.ResourceOptions.merge(
                self._options(
                    user.name,
                    adopted=adopted,
                    existing=existing,
                    import_id=f"{self._args.project_id}-{login}-{ADMIN_DATABASE}",
                    rotates=self._args.generations.leaving(user.name) is not None,
                ),
                pulumi.ResourceOptions(
                    depends_on=[
                        *(self._roles[role.name] for role in user.roles if role.name in self._roles),
                        *after,
                    ],
                    # No import reads a password back: the next update sets it.
                    ignore_changes=["password"] if adopted or existing else None,
                ),
            ),
        )

    def _options(
        self, name: str, *, adopted: bool, existing: bool, import_id: str, rotates: bool = False
    ) -> pulumi.ResourceOptions:
        """While a user rotates, the guard of the generation that leaves stands in the place of `protect`."""
        return pulumi.ResourceOptions(
            parent=self,
            protect=self._args.protect and not rotates and name not in self._args.removing,
            retain_on_delete=True if adopted and not rotates else None,
            import_=import_id if adopted or existing else None,
        )


def _addresses(name: str, cluster: mongodbatlas.GetAdvancedClusterResult) -> ClusterAddresses:
    strings = cluster.connection_strings
    return ClusterAddresses(
        cluster=name,
        standard=strings.standard or "",
        srv=strings.standard_srv or "",
        private_endpoints=tuple(
            PrivateEndpoint(
                standard=endpoint.connection_string or "",
                srv=endpoint.srv_connection_string or "",
            )
            for endpoint in strings.private_endpoints or []
        ),
    )
