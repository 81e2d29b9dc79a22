"""One cluster's custom roles and database users (ADR 0006), roles first.

Adopted roles and users exist already: they are imported, protected, kept when the stack goes, and their passwords
are never touched. Every other user gets a password of its own, which leaves this component only inside a connection
string.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import pulumi
import pulumi_mongodbatlas as mongodbatlas
import pulumi_random as random

from atlas_access.base import (
    Address,
    AddressForm,
    AddressMissing,
    ClusterAddresses,
    ConnectionInvalid,
    ConnectionString,
    PrivateEndpoint,
    compose,
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

    `removing` are the names of users and roles that are not protected any more.
    """

    manifest: Manifest
    project_id: str
    cluster: str
    address_form: AddressForm
    protect: bool
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
        self._passwords: dict[str, pulumi.Output[str]] = {}
        self.users = {user.name: self._user(user) for user in args.manifest.users}
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

    def connection(self, user: str, address: Address) -> pulumi.Output[str]:
        """The user's connection string by that address, secret; it waits for the user to exist.

        Raises KeyError for an adopted user: nobody here knows its password.
        """
        database, form = self._args.manifest.database, self._args.address_form

        def composed(parts: tuple[ClusterAddresses, str, str]) -> str:
            addresses, username, password = parts
            try:
                return compose(addresses.base(address, form), username, password, database)
            except (AddressMissing, ConnectionInvalid) as error:
                raise pulumi.RunError(str(error)) from None

        return pulumi.Output.secret(
            pulumi.Output.all(self._addresses, self.users[user].username, self._passwords[user]).apply(
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

    def _user(self, user: User) -> mongodbatlas.DatabaseUser:
        if user.adopted:
            password = None
        else:
            generated = random.RandomPassword(
                user.name,
                length=PASSWORD_LENGTH,
                special=False,
                opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["result"]),
            )
            password = self._passwords[user.name] = generated.result
        existing, (key, value) = user.name in self._args.existing.users, MADE_LABEL
        return mongodbatlas.DatabaseUser(
            user.name,
            project_id=self._args.project_id,
            auth_database_name=ADMIN_DATABASE,
            username=user.name,
            password=password,
            roles=[
                mongodbatlas.DatabaseUserRoleArgs(role_name=role.name, database_name=role.database)
                for role in user.roles
            ],
            scopes=[mongodbatlas.DatabaseUserScopeArgs(name=self._args.cluster, type="CLUSTER")],
            labels=None if user.adopted else [mongodbatlas.DatabaseUserLabelArgs(key=key, value=value)],
            opts=pulumi.ResourceOptions.merge(
                self._options(
                    user.name,
                    adopted=user.adopted,
                    existing=existing,
                    import_id=f"{self._args.project_id}-{user.name}-{ADMIN_DATABASE}",
                ),
                pulumi.ResourceOptions(
                    depends_on=[self._roles[role.name] for role in user.roles if role.name in self._roles],
                    # No import reads a password back: the next update sets it.
                    ignore_changes=["password"] if user.adopted or existing else None,
                ),
            ),
        )

    def _options(self, name: str, *, adopted: bool, existing: bool, import_id: str) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            protect=self._args.protect and name not in self._args.removing,
            retain_on_delete=True if adopted else None,
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
