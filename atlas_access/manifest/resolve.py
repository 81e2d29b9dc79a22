"""From the file's shape to the records: defaults filled in, templates expanded, bindings spread over environments.

For: giving every reader of the manifest resolved names. Entries that lead nowhere are left out here; the checks have
reported them, and a manifest with errors is never handed on.
Never: reports errors.
"""

from collections.abc import Iterator

from atlas_access.base import Address
from atlas_access.manifest.bindings import environments_of, place_of, secret_of
from atlas_access.manifest.checks import ALLOWED_BUILTIN
from atlas_access.manifest.file import ManifestFile
from atlas_access.manifest.model import (
    ADMIN_DATABASE,
    LOCAL,
    Audit,
    Binding,
    Collection,
    Consumer,
    CustomRole,
    DataClass,
    DeprecatedVariable,
    Grant,
    LegacySecret,
    LegacyUser,
    Manifest,
    Retention,
    RoleRef,
    User,
    Waiver,
)
from atlas_access.privileges import ATLAS_ACTIONS, BUILTIN_ROLES


def resolve(file: ManifestFile) -> Manifest:
    """Return the records of a file."""
    roles = tuple(_roles(file))
    users = tuple(_users(file, {role.name for role in roles}))
    return Manifest(
        version=file.version,
        database=file.database,
        environments=file.environments,
        audit=_audit(file),
        collections=tuple(_collections(file)),
        read_across=file.read_across,
        roles=roles,
        users=users,
        bindings=tuple(_bindings(file, {user.name for user in users})),
        deprecated_variables=tuple(
            DeprecatedVariable(name=name, successor=successor)
            for name, successor in file.deprecated_variables.items()
        ),
        waivers=tuple(
            Waiver(
                id=name,
                user=entry.user,
                on=entry.on,
                permits=entry.permits,
                adr=entry.adr,
                reason=entry.reason,
            )
            for name, entry in file.waivers.items()
        ),
        legacy=tuple(_legacy(file)),
    )


def _audit(file: ManifestFile) -> Audit:
    kept = file.audit.retention
    retention = None if kept is None else Retention(field=kept.field, days=kept.days)
    return Audit(database=file.audit.database, collection=file.audit.collection, retention=retention)


def role_ref(text: str) -> RoleRef:
    """Return `read@askflorence` as that role, and a custom role's bare name as the role at admin."""
    name, _, database = text.partition("@")
    return RoleRef(name=name, database=database if name in BUILTIN_ROLES and database else ADMIN_DATABASE)


def _collections(file: ManifestFile) -> Iterator[Collection]:
    for name, entry in file.collections.items():
        yield Collection(
            name=name,
            data_class=DataClass(entry.data_class),
            on=entry.on,
            may_be_absent=entry.may_be_absent,
            database=file.audit.database if name == file.audit.collection else file.database,
        )


def _roles(file: ManifestFile) -> Iterator[CustomRole]:
    for name, grants in file.roles.items():
        yield CustomRole(
            name=name,
            grants=tuple(
                Grant(action=action, collections=tuple(c for c in collections if c in file.collections))
                for action, collections in grants.items()
                if action in ATLAS_ACTIONS
            ),
            adopted=name in file.adopted.roles,
        )


def _users(file: ManifestFile, roles: set[str]) -> Iterator[User]:
    databases = (file.database, file.audit.database)
    for name, entry in file.users.items():
        refs = tuple(role_ref(text) for text in entry.role)
        if all(
            ref.name in roles
            if not ref.is_builtin
            else ref.name in ALLOWED_BUILTIN and ref.database in databases
            for ref in refs
        ):
            yield User(
                name=name,
                roles=refs,
                secret=entry.secret,
                adopted=name in file.adopted.users,
                secret_adopted=entry.secret in file.adopted.secrets,
            )


def _bindings(file: ManifestFile, users: set[str]) -> Iterator[Binding]:
    for consumer, variable, entry in file.bindings.each():
        template = secret_of(file, entry)
        if entry.user not in users or template is None:
            continue
        for environment in environments_of(file, consumer):
            cluster, address = place_of(entry, environment)
            yield Binding(
                consumer=Consumer(consumer),
                variable=variable,
                user=entry.user,
                environment=LOCAL if consumer == Consumer.LOCAL else environment,
                cluster=cluster,
                address=Address(address),
                secret_name=template.replace("{env}", environment),
            )


def _legacy(file: ManifestFile) -> Iterator[LegacyUser]:
    for environment, part in file.legacy.items():
        for name, entry in part.users.items():
            yield LegacyUser(
                environment=environment,
                name=name,
                role=role_ref(entry.role),
                successor=entry.successor,
                secrets=tuple(
                    LegacySecret(
                        environment=secret.environment or environment,
                        name=secret.name,
                        variable=secret.variable,
                    )
                    for secret in entry.secrets
                ),
            )
