"""From the file's shape to the records: defaults filled in, templates expanded, bindings spread over environments.

Entries that lead nowhere are left out here; the rules report them, and a manifest with errors is never handed on.
"""

from collections.abc import Iterator

from atlas_access.base import Address
from atlas_access.manifest.bindings import environments_of, secret_of
from atlas_access.manifest.checks import ALLOWED_BUILTIN
from atlas_access.manifest.file import ManifestFile
from atlas_access.manifest.model import Manifest
from atlas_access.manifest.records import (
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
    Retention,
    RoleRef,
    User,
    ViewFamily,
    Waiver,
)
from atlas_access.privileges import BUILTIN_ROLES


def resolve(file: ManifestFile) -> Manifest:
    """Return the records of a file."""
    kept = file.audit.retention
    users = tuple(_users(file))
    return Manifest(
        version=file.version,
        database=file.database,
        environments=file.environments,
        audit=Audit(
            database=file.audit.database,
            collection=file.audit.collection,
            retention=None if kept is None else Retention(field=kept.field, days=kept.days),
            validator=file.audit.validator,
        ),
        collections=tuple(
            Collection.model_validate(
                entry.model_dump(exclude={"views_of", "filter"})
                | {"name": name}
                | {"database": (file.audit if name == file.audit.collection else file).database}
            )
            for name, entry in file.collections.items()
            if entry.views_of is None
        ),
        view_families=tuple(
            ViewFamily(
                name=name,
                data_class=DataClass(entry.data_class),
                on=entry.on,
                database=file.database,
                source=entry.views_of,
                field=entry.filter or "",
            )
            for name, entry in file.collections.items()
            if entry.views_of is not None
        ),
        read_across=file.read_across,
        user_cap=file.user_cap,
        roles=tuple(
            CustomRole(
                name=name,
                grants=tuple(
                    Grant(action=action, collections=tuple(c for c in collections if c in file.collections))
                    for action, collections in grants.items()
                ),
                adopted=name in file.adopted.roles,
            )
            for name, grants in file.roles.items()
        ),
        users=users,
        bindings=tuple(_bindings(file, {user.name for user in users})),
        deprecated_variables=tuple(
            DeprecatedVariable(name=name, successor=successor)
            for name, successor in file.deprecated_variables.items()
        ),
        waivers=tuple(
            Waiver.model_validate({"id": name} | dict(entry)) for name, entry in file.waivers.items()
        ),
        accepted_actions=tuple(file.accepted_actions),
        legacy=tuple(_legacy(file)),
    )


def _role_ref(text: str) -> RoleRef:
    """Return `read@shop` as that role, and a custom role's bare name as the role at admin."""
    name, _, database = text.partition("@")
    return RoleRef(name=name, database=database if name in BUILTIN_ROLES and database else ADMIN_DATABASE)


def _users(file: ManifestFile) -> Iterator[User]:
    databases = (file.database, file.audit.database)
    for name, entry in file.users.items():
        refs = tuple(_role_ref(text) for text in entry.role)
        if all(
            ref.name in ALLOWED_BUILTIN and ref.database in databases
            if ref.is_builtin
            else ref.name in file.roles
            for ref in refs
        ):
            yield User(
                name=name,
                roles=refs,
                secret=entry.secret,
                adopted=name in file.adopted.users,
                secret_adopted=entry.secret in file.adopted.secrets,
                most_days=file.rotation.get(name, 0),
            )


def _bindings(file: ManifestFile, users: set[str]) -> Iterator[Binding]:
    for consumer, variable, entry in file.bindings.each():
        template = secret_of(file, entry)
        if entry.user not in users or template is None:
            continue
        for environment in environments_of(file, consumer):
            cluster, address = entry.place_in(environment)
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
                role=_role_ref(entry.role),
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
