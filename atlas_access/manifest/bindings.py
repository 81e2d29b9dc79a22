"""Whether the bindings, the deprecated variables and the legacy estate of a manifest fit together.

For: which consumer may receive what (ADR 0006), whose cluster may be read from where (ADR 0004), which names are taken
by what is to be retired.
Never: contacts anything.
"""

from collections.abc import Iterator

from atlas_access.base import Document, Path, Plain, shown, suggestion
from atlas_access.manifest.checks import declared
from atlas_access.manifest.file import BindingEntry, ManifestFile, PlaceEntry
from atlas_access.manifest.model import Consumer
from atlas_access.manifest.shape import Mistake
from atlas_access.privileges import BUILTIN_ROLES

SCHEMA_VARIABLE = "MONGODB_URI_ADMIN_SCHEMA"
"""The schema administration's variable: for the deploy-time task alone (ADR 0006)."""


def check_bindings(file: ManifestFile, document: Document) -> Iterator[Mistake]:
    """Find every binding that names nothing, or hands out what its consumer must not have."""
    yield from _each_binding(file, document)
    yield from _one_user_each(file)
    yield from _runtime_apart(file)
    yield from _secrets(file)
    yield from _deprecated(file)
    yield from _legacy(file, document)


def place_of(entry: BindingEntry, environment: str) -> tuple[str, str]:
    """Return the cluster and the address that a binding means in an environment."""
    place = (entry.__pydantic_extra__ or {}).get(environment, PlaceEntry())
    return place.cluster or environment, place.address


def environments_of(file: ManifestFile, consumer: str) -> tuple[str, ...]:
    """Return the environments whose names a consumer's bindings resolve with: local ones use the first (staging)."""
    return file.environments[:1] if consumer == Consumer.LOCAL else file.environments


def secret_of(file: ManifestFile, entry: BindingEntry) -> str | None:
    """Return the template of a binding's secret: its own, else its user's; None when neither is known."""
    user = file.users.get(entry.user)
    return entry.secret or (user.secret if user is not None else None)


def _each_binding(file: ManifestFile, document: Document) -> Iterator[Mistake]:
    users = declared(document, "users")
    deprecated = declared(document, "deprecated_variables")
    for consumer, variable, entry in file.bindings.each():
        path: Path = ("bindings", consumer, variable)
        if entry.user not in users:
            yield (
                (*path, "user"),
                f"user {shown(entry.user)} is not defined",
                f"Define it under users:.{suggestion(entry.user, users)}",
            )
        if variable in deprecated:
            successor = file.deprecated_variables.get(variable, "its successor")
            yield (
                path,
                f"{shown(variable)} is deprecated",
                f"Bind {successor} instead; the tool aliases it while needed.",
            )
        yield from _places(file, path, consumer, entry)


def _places(file: ManifestFile, path: Path, consumer: str, entry: BindingEntry) -> Iterator[Mistake]:
    for environment, place in (entry.__pydantic_extra__ or {}).items():
        here = (*path, environment)
        if environment not in file.environments or consumer == Consumer.LOCAL:
            known = ["user", "secret", *(() if consumer == Consumer.LOCAL else file.environments)]
            yield (
                here,
                f"unknown key {shown(environment)}",
                f"Known here: {', '.join(known)}.{suggestion(environment, known)}",
            )
            continue
        cluster = place.cluster or environment
        if cluster not in file.environments:
            yield (
                (*here, "cluster"),
                f"cluster {shown(cluster)} is not defined",
                f"Use one of: {', '.join(file.environments)}.",
            )
        elif cluster != environment:
            yield from _crossing(file, here, environment, cluster, place, entry)


def _crossing(
    file: ManifestFile, path: Path, environment: str, cluster: str, place: PlaceEntry, entry: BindingEntry
) -> Iterator[Mistake]:
    if cluster != file.environments[0]:
        yield (
            (*path, "cluster"),
            f"{environment} would read {cluster}'s cluster",
            f"Only {file.environments[0]}'s cluster is read across environments (ADR 0001, ADR 0004).",
        )
    if place.address != "private":
        yield (
            (*path, "address"),
            "another environment's cluster by its public address",
            "Write address: private; environments meet by private endpoint only (ADR 0004).",
        )
    if not file.read_across:
        yield (
            path,
            "reads another environment, but read_across is empty",
            "List under read_across: what may be read.",
        )
    user = file.users.get(entry.user)
    writes = {"readWrite", *file.roles}
    if user is not None and any(role.split("@")[0] in writes for role in user.role):
        yield (
            path,
            f"{shown(entry.user)} can do more than read, on another environment's cluster",
            "Across environments use a user with the role read (ADR 0006).",
        )
    if entry.secret is None:
        yield (
            path,
            f"the secret of {shown(entry.user)} holds {environment}'s own address",
            'Give this binding a secret of its own, such as secret: "{env}/mongodb/reference-uri-v2".',
        )


def _one_user_each(file: ManifestFile) -> Iterator[Mistake]:
    first: dict[str, tuple[str, str]] = {}
    for consumer, variable, entry in file.bindings.each():
        before = first.setdefault(variable, (consumer, entry.user))
        if before[1] != entry.user:
            yield (
                ("bindings", consumer, variable),
                f"bound twice ({before[1]} for {before[0]}, {entry.user} for {consumer})",
                "A variable has one user.",
            )


def _runtime_apart(file: ManifestFile) -> Iterator[Mistake]:
    task_users = {entry.user for entry in file.bindings.schema_task.values()}
    for consumer, variable, entry in file.bindings.each():
        if consumer == Consumer.SCHEMA_TASK:
            continue
        path: Path = ("bindings", consumer, variable)
        if variable == SCHEMA_VARIABLE:
            yield (
                path,
                f"{SCHEMA_VARIABLE} bound to {consumer}",
                "Bind it under schema_task: only; the runtime never holds index management (ADR 0006).",
            )
        elif entry.user in task_users:
            yield (
                path,
                f"{shown(entry.user)} is the schema task's user",
                "Bind another user here: deploy-time and runtime credentials stay apart (ADR 0006).",
            )


def _secrets(file: ManifestFile) -> Iterator[Mistake]:
    legacy = {
        (secret.environment or environment, secret.name)
        for environment, part in file.legacy.items()
        for user in part.users.values()
        for secret in user.secrets
    }
    owners = {user.secret: name for name, user in file.users.items()}
    for name, user in file.users.items():
        yield from _no_legacy(("users", name, "secret"), user.secret, file, legacy)
    for consumer, variable, entry in file.bindings.each():
        if entry.secret is None:
            continue
        path: Path = ("bindings", consumer, variable, "secret")
        yield from _no_legacy(path, entry.secret, file, legacy)
        if owners.get(entry.secret, entry.user) != entry.user:
            yield (
                path,
                f"the secret of {shown(owners[entry.secret])}, bound for {shown(entry.user)}",
                "A secret holds one user's connection string: leave secret: out, or name another.",
            )
    yield from _one_content_each(file)


def _one_content_each(file: ManifestFile) -> Iterator[Mistake]:
    holds: dict[tuple[str, str], tuple[str, str, str]] = {}
    for consumer, variable, entry in file.bindings.each():
        template = secret_of(file, entry)
        for environment in environments_of(file, consumer):
            cluster, address = place_of(entry, environment)
            if template is None or (entry.secret is None and cluster != environment):
                continue
            user, *place = holds.setdefault((environment, template), (entry.user, cluster, address))
            if user == entry.user and place != [cluster, address]:
                yield (
                    ("bindings", consumer, variable),
                    f"its secret would hold two connection strings in {environment}",
                    'Give this binding a secret of its own, such as secret: "{env}/mongodb/reference-uri-v2".',
                )
                break


def _no_legacy(
    path: Path, template: str, file: ManifestFile, legacy: set[tuple[str, str]]
) -> Iterator[Mistake]:
    taken = [env for env in file.environments if (env, template.replace("{env}", env)) in legacy]
    if taken:
        yield (
            path,
            f"{shown(template)} is a legacy secret in {' and '.join(taken)}",
            "A legacy secret is never written again: choose a new name, such as one ending in -v2.",
        )


def _deprecated(file: ManifestFile) -> Iterator[Mistake]:
    bound = {variable for _, variable, _ in file.bindings.each()}
    for name, successor in file.deprecated_variables.items():
        if successor in file.deprecated_variables:
            yield (
                ("deprecated_variables", name),
                f"its successor {shown(successor)} is deprecated too",
                "Name the variable that code uses from now on.",
            )
        elif successor not in bound:
            yield (
                ("deprecated_variables", name),
                f"its successor {shown(successor)} is bound nowhere",
                f"Bind it, or name another.{suggestion(successor, bound)}",
            )


def _legacy(file: ManifestFile, document: Document) -> Iterator[Mistake]:
    users = declared(document, "users")
    owners: dict[tuple[str, str], str] = {}
    for environment, part in file.legacy.items():
        if environment not in file.environments:
            yield (
                ("legacy", environment),
                f"environment {shown(environment)} is not defined",
                f"Use one of: {', '.join(file.environments)}.",
            )
        for name, user in part.users.items():
            path: Path = ("legacy", environment, "users", name)
            if name in users:
                yield (
                    path,
                    f"{shown(name)} is a managed user too",
                    "Remove it here, or it would be retired while in use.",
                )
            if user.successor not in users:
                yield (
                    (*path, "successor"),
                    f"successor {shown(user.successor)} is not defined",
                    f"Name a user of users:.{suggestion(user.successor, users)}",
                )
            role = user.role.partition("@")
            if role[0] in BUILTIN_ROLES and not role[2]:
                yield (
                    (*path, "role"),
                    f"the built-in role {role[0]} needs its database",
                    f"Write {role[0]}@{file.database}.",
                )
            for index, secret in enumerate(user.secrets):
                here = (*path, "secrets", index)
                owner = secret.environment or environment
                if owner not in file.environments or not secret.name.startswith(f"{owner}/"):
                    yield (
                        (*here, "name"),
                        f"{shown(secret.name)} is not in {shown(owner)}'s account",
                        "Name the secret of that environment, or set environment: to its owner.",
                    )
                if (owner, secret.name) in owners:
                    yield (
                        (*here, "name"),
                        f"also the secret of {owners[owner, secret.name]}",
                        "A secret holds one user's connection string.",
                    )
                owners.setdefault((owner, secret.name), name)
                yield from _variable(file, document, (*here, "variable"), secret.variable, user.successor)


def _variable(
    file: ManifestFile, document: Document, path: Path, variable: str, successor: str
) -> Iterator[Mistake]:
    current = file.deprecated_variables.get(variable, variable)
    users: dict[str, str] = {}
    for _, bound, entry in file.bindings.each():
        users.setdefault(bound, entry.user)
    if current not in users:
        if current == variable and _all_bindings_read(file, document):
            yield (
                path,
                f"{shown(variable)} is neither bound nor deprecated",
                "Bind it, or list it under deprecated_variables:.",
            )
    elif users[current] != successor and successor in file.users:
        yield (
            path,
            f"{shown(variable)} goes over to {users[current]}, not to {successor}",
            "Name the user that the variable is bound to from now on.",
        )


def _all_bindings_read(file: ManifestFile, document: Document) -> bool:
    data = document.data
    bindings: Plain = data.get("bindings") if isinstance(data, dict) else None
    in_file = (
        sum(len(part) for part in bindings.values() if isinstance(part, dict))
        if isinstance(bindings, dict)
        else 0
    )
    deprecated = declared(document, "deprecated_variables")
    return in_file == len(list(file.bindings.each())) and deprecated == set(file.deprecated_variables)
