"""Whether the bindings, the deprecated variables and the legacy users of a manifest fit together.

Which consumer may receive what (ADR 0006), whose cluster may be read from where (ADR 0004), which names are taken by
what is to be retired. A name that leads nowhere is reported by `manifest.checks` and ignored here.
"""

from collections.abc import Iterator

from atlas_access.base import Path, both_logins, shown, suggestion
from atlas_access.manifest.file import BindingEntry, ManifestFile, PlaceEntry
from atlas_access.manifest.records import Consumer
from atlas_access.manifest.shape import Known, Mistake

SCHEMA_VARIABLE = "MONGODB_URI_ADMIN_SCHEMA"
"""The schema administration's variable: for the deploy-time task alone (ADR 0006)."""

_OWN = 'Give this binding a secret of its own, such as secret: "{env}/mongodb/reference-uri-v2".'


def environments_of(file: ManifestFile, consumer: str) -> tuple[str, ...]:
    """Return the environments whose names a consumer's bindings resolve with: local ones have one of their own."""
    if consumer != Consumer.LOCAL:
        return file.environments
    return tuple(each for each in file.environments if each == file.local_home)


def secret_of(file: ManifestFile, entry: BindingEntry) -> str | None:
    """Return the template of a binding's secret: its own, else its user's; None when neither is known."""
    user = file.users.get(entry.user)
    return entry.secret or (user.secret if user is not None else None)


def check_bindings(file: ManifestFile, known: Known) -> Iterator[Mistake]:
    """Find every binding that hands out what its consumer must not have, or reads a cluster that it must not."""
    first: dict[str, tuple[str, str]] = {}
    task_users = {entry.user for entry in file.bindings.schema_task.values()}
    for consumer, variable, entry in file.bindings.each():
        path: Path = ("bindings", consumer, variable)
        yield from _places(file, known, path, consumer, entry)
        if variable in file.deprecated_variables:
            remedy = f"Bind {file.deprecated_variables[variable]} instead; the tool aliases it while needed."
            yield path, f"{shown(variable)} is deprecated", remedy
        if entry.user not in file.users:
            continue
        before = first.setdefault(variable, (consumer, entry.user))
        if consumer != Consumer.SCHEMA_TASK and variable == SCHEMA_VARIABLE:
            remedy = "Bind it under schema_task: only; the runtime never holds index management (ADR 0006)."
            yield path, f"{SCHEMA_VARIABLE} bound to {consumer}", remedy
        elif consumer != Consumer.SCHEMA_TASK and entry.user in task_users:
            remedy = "Bind another user here: deploy-time and runtime credentials stay apart (ADR 0006)."
            yield path, f"{shown(entry.user)} is the schema task's user", remedy
        elif before[1] != entry.user:
            problem = f"bound twice ({before[1]} for {before[0]}, {entry.user} for {consumer})"
            yield path, problem, "A variable has one user."


def misread(file: ManifestFile) -> dict[str, str]:
    """Return the clusters that bindings of another environment must not name, each with the remedy.

    One that lacks a single collection of read_across is reported there.
    """
    read = file.crossings
    if len(read) > 1:
        remedy = (
            f"One cluster alone is read across (ADR 0001, ADR 0004); the bindings name {' and '.join(read)}."
        )
        return dict.fromkeys(read, remedy)
    known = [name for name in file.read_across if name in file.collections]
    lacking = {
        cluster: [name for name in known if cluster not in file.collections[name].on] for cluster in read
    }
    return {
        cluster: f"Name the cluster that holds what read_across names: {cluster} lacks {', '.join(names)}."
        for cluster, names in lacking.items()
        if len(names) > 1
    }


def check_local(file: ManifestFile) -> Iterator[Mistake]:
    """Find local bindings without an environment, or of one whose credentials never go to a developer's machine."""
    home, wrong = file.local_home, misread(file)
    readers = {each for cluster, found in file.crossings.items() if cluster not in wrong for each in found}
    if file.bindings.local and home is None:
        remedy = f"Write local_environment: with one of {', '.join(file.environments)}."
        yield ("bindings", "local"), "nothing says whose cluster a developer's machine uses", remedy
    elif home in readers and file.bindings.local:
        remedy = "Name the environment whose cluster is read (ADR 0001, ADR 0006)."
        yield ("local_environment",), f"{home}'s credentials read another environment's cluster", remedy


def _places(
    file: ManifestFile, known: Known, path: Path, consumer: str, entry: BindingEntry
) -> Iterator[Mistake]:
    for environment, place in entry.places().items():
        here = (*path, environment)
        if environment not in file.environments or consumer == Consumer.LOCAL:
            keys = ["user", "secret", *(() if consumer == Consumer.LOCAL else file.environments)]
            remedy = f"Known here: {', '.join(keys)}.{suggestion(environment, keys)}"
            yield here, f"unknown key {shown(environment)}", remedy
        elif place.cluster in file.environments and place.cluster != environment:
            yield from _crossing(file, here, place.cluster, place, entry)
            if not file.read_across and "read_across" not in known.broken | known.unsure:
                problem = "reads another environment, but read_across is empty"
                yield here, problem, "List under read_across: what may be read."


def _crossing(
    file: ManifestFile, path: Path, cluster: str, place: PlaceEntry, entry: BindingEntry
) -> Iterator[Mistake]:
    environment = path[-1]
    if (against := misread(file).get(cluster)) is not None:
        yield (*path, "cluster"), f"{environment} would read {cluster}'s cluster", against
    if place.address != "private":
        yield (
            (*path, "address"),
            "another environment's cluster by its public address",
            "Write address: private; environments meet by private endpoint only (ADR 0004).",
        )
    user = file.users.get(entry.user)
    if user is not None and any(role.partition("@")[0] in {"readWrite", *file.roles} for role in user.role):
        yield (
            path,
            f"{shown(entry.user)} can do more than read, on another environment's cluster",
            "Across environments use a user with the role read (ADR 0006).",
        )
    if entry.secret is None:
        yield path, f"the secret of {shown(entry.user)} holds {environment}'s own address", _OWN


def check_secrets(file: ManifestFile) -> Iterator[Mistake]:
    """Find secrets that would hold two connection strings, or that belong to what is to be retired."""
    legacy = {
        (secret.environment or environment, secret.name)
        for environment, part in file.legacy.items()
        for user in part.users.values()
        for secret in user.secrets
    }
    owners = {user.secret: name for name, user in file.users.items()}
    own: list[tuple[Path, str]] = [(("users", name), user.secret) for name, user in file.users.items()]
    for consumer, variable, entry in file.bindings.each():
        path: Path = ("bindings", consumer, variable)
        if entry.secret is not None:
            own.append((path, entry.secret))
            if owners.get(entry.secret, entry.user) != entry.user:
                yield (
                    (*path, "secret"),
                    f"the secret of {shown(owners[entry.secret])}, bound for {shown(entry.user)}",
                    "A secret holds one user's connection string: leave secret: out, or name another.",
                )
    for path, template in own:
        taken = [env for env in file.environments if (env, template.replace("{env}", env)) in legacy]
        if taken:
            yield (
                (*path, "secret"),
                f"{shown(template)} is a legacy secret in {' and '.join(taken)}",
                "A legacy secret is never written again: choose a new name, such as one ending in -v2.",
            )
    yield from _one_content_each(file)


def _one_content_each(file: ManifestFile) -> Iterator[Mistake]:
    holds: dict[tuple[str, str], tuple[str, str, str]] = {}
    for consumer, variable, entry in file.bindings.each():
        template = secret_of(file, entry)
        for environment in environments_of(file, consumer):
            cluster, address = entry.place_in(environment)
            if template is None or (entry.secret is None and cluster != environment):
                continue
            user, *place = holds.setdefault((environment, template), (entry.user, cluster, address))
            if user == entry.user and place != [cluster, address]:
                problem = f"its secret would hold two connection strings in {environment}"
                yield ("bindings", consumer, variable), problem, _OWN
                break


def check_legacy(file: ManifestFile, known: Known) -> Iterator[Mistake]:
    """Find legacy users that are managed, secrets of two users or of another account, and wrong successors."""
    owners: dict[tuple[str, str], str] = {}
    bound: dict[str, str] = {}
    for _, variable, entry in file.bindings.each():
        bound.setdefault(variable, entry.user)
    for name, successor in file.deprecated_variables.items():
        if successor in file.deprecated_variables:
            problem = f"its successor {shown(successor)} is deprecated too"
            yield ("deprecated_variables", name), problem, "Name the variable that code uses from now on."
    for environment, part in file.legacy.items():
        for name, user in part.users.items():
            path: Path = ("legacy", environment, "users", name)
            if name in {login for user in known.names("users") for login in both_logins(user)}:
                problem = f"{shown(name)} is a managed user too, or its second name"
                yield path, problem, "Remove it here, or it would be retired while in use."
            for index, secret in enumerate(user.secrets):
                here = (*path, "secrets", index)
                owner = secret.environment or environment
                if owner in file.environments and not secret.name.startswith(f"{owner}/"):
                    problem = f"{shown(secret.name)} is not in {shown(owner)}'s account"
                    remedy = "Name the secret of that environment, or set environment: to its owner."
                    yield (*here, "name"), problem, remedy
                if (owner, secret.name) in owners:
                    problem = f"also the secret of {owners[owner, secret.name]}"
                    yield (*here, "name"), problem, "A secret holds one user's connection string."
                owners.setdefault((owner, secret.name), name)
                now = bound.get(file.deprecated_variables.get(secret.variable, secret.variable))
                if {now, user.successor} <= file.users.keys() and now != user.successor:
                    problem = f"{shown(secret.variable)} goes over to {now}, not to {user.successor}"
                    remedy = "Name the user that the variable is bound to from now on."
                    yield (*here, "variable"), problem, remedy
