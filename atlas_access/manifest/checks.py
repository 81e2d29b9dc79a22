"""Whether the names of a manifest fit together: roles, collections, users, secrets and what is adopted.

Each rule gets the well-formed entries and what is known of the others, so that one broken or mistyped name brings forth
one error. What privileges add up to is judged in atlas_access.manifest.consequences.
"""

import re
from collections.abc import Iterator

from atlas_access.base import Path, both_logins, shown, suggestion
from atlas_access.manifest.bindings import misread
from atlas_access.manifest.file import CollectionEntry, ManifestFile
from atlas_access.manifest.records import ADMIN_DATABASE
from atlas_access.manifest.shape import Known, Mistake
from atlas_access.privileges import BUILTIN_ROLES

ALLOWED_BUILTIN = ("read", "readWrite")

_PER_TENANT = re.compile(
    r"(tenant|agent|agency|agencies|member|customer|client|broker|npn|org)s?[_-]?\w*\d", re.IGNORECASE
)
_ONE_TENANTS = re.compile(
    r"(?:^|[_-])(?:tenant|agent|agency|member|customer|client|broker|npn|org)s?[_-]?(?:id[_-]?)?"
    r"(?:\d+|(?=[0-9a-f]*\d)[0-9a-f]{6,})$",
    re.IGNORECASE,
)
"""A name that ends in one tenant's number or id, such as `agent_101` or `member-5f3a9c`."""

_PLAYBOOK = " Tenants are kept apart by views and the JWT's identity, never by a database user each."

_USES = {
    "environment": ("environments", "environment {} is not defined", "Use one of: {known}."),
    "cluster": ("environments", "cluster {} is not defined", "Use one of: {known}."),
    "collection": ("collections", "collection {} is not defined", "Define it under collections:."),
    "database": ("database", "{} reaches a database that is not the manifest's", "Use the database {known}."),
    "role": ("roles", "role {} is not defined", "Define it under roles:, or use read@{database}."),
    "user": ("users", "user {} is not defined", "Define it under users:."),
    "successor": ("users", "successor {} is not defined", "Name a user of users:."),
    "waived": ("users", "waiver for a user {} that is not defined", "Remove the waiver."),
    "adopted user": ("users", "{} is adopted but not declared", "Declare it, or remove it here."),
    "adopted role": ("roles", "{} is adopted but not declared", "Declare it, or remove it here."),
    "adopted secret": ("secrets", "{} is adopted but not declared", "Declare it, or remove it here."),
    "variable": (
        "variables",
        "{} is neither bound nor deprecated",
        "Bind it, or list it under deprecated_variables:.",
    ),
    "succeeding": ("bindings", "its successor {} is bound nowhere", "Bind it, or name another."),
}
"""How a name is used: what declares it, and the words when nothing does."""

_MAY_BE_ABSENT = {"roles": "roles", "variables": "deprecated_variables"}
"""Names whose whole section is absent are one mistake."""


def undefined(file: ManifestFile, known: Known) -> dict[tuple[str, str], Mistake]:
    """Return a mistake for each name that is used and not declared, by what would declare it and the name.

    It stands at the first use and counts the others. A name of a part that could not be read is not judged.
    """
    bound = {variable for _, variable, _ in file.bindings.each()}
    secrets = {user.secret for user in file.users.values()}
    secrets |= {entry.secret for _, _, entry in file.bindings.each() if entry.secret is not None}
    declared = {
        "environments": set(file.environments),
        "database": {file.database, file.audit.database},
        "bindings": bound,
        "variables": bound | set(file.deprecated_variables),
        "secrets": secrets,
    } | {section: set(known.names(section)) for section in ("collections", "roles", "users")}
    doubtful = known.broken | known.unsure
    unsure = known.unsure | (doubtful & {"bindings"})
    unsure |= {"secrets"} if doubtful & {"users", "bindings"} else set()
    unsure |= {"variables"} if doubtful & {"bindings", "deprecated_variables"} else set()
    places: dict[tuple[str, str], list[tuple[str, Path, str]]] = {}
    for use, name, path, text in _used(file):
        section = _USES[use][0]
        if name not in declared[section] and section not in unsure:
            absent = _MAY_BE_ABSENT.get(section, "version") not in known.file
            places.setdefault((section, "" if absent else name), []).append((use, path, text))
    if any(section == "users" for section, _ in places):
        places = {key: uses for key, uses in places.items() if key[0] != "secrets"}
    mistakes: dict[tuple[str, str], Mistake] = {}
    for (section, name), uses in places.items():
        use, path, text = uses[0]
        problem = _USES[use][1].format(shown(text))
        if len(uses) > 1:
            problem += f" ({len(uses)} places)"
        near = suggestion(text, declared[section] | {*(ALLOWED_BUILTIN if section == "roles" else ())})
        options = file.environments if section == "environments" else sorted(declared[section])
        remedy = _USES[use][2].format(known=", ".join(options), database=file.database)
        mistakes[section, name] = (path, problem, remedy + near)
    return mistakes


def _used(file: ManifestFile) -> Iterator[tuple[str, str, Path, str]]:
    """Every use of a name: how it is used, the name, where, and the text that names it."""
    for use, name, path in _used_by_name(file):
        yield use, name, path, name
    for user, entry in file.users.items():
        for text in entry.role:
            name, _, database = text.partition("@")
            if name not in BUILTIN_ROLES:
                yield "role", name, ("users", user, "role"), name
            elif name in ALLOWED_BUILTIN and database:
                yield "database", database, ("users", user, "role"), text


def _used_by_name(file: ManifestFile) -> Iterator[tuple[str, str, Path]]:
    yield "collection", file.audit.collection, ("audit", "collection")
    for name, entry in file.collections.items():
        for index, environment in enumerate(entry.on):
            yield "environment", environment, ("collections", name, "on", index)
        if entry.views_of is not None:
            yield "collection", entry.views_of, ("collections", name, "views_of")
    if file.local_environment is not None:
        yield "environment", file.local_environment, ("local_environment",)
    for index, name in enumerate(file.read_across):
        yield "collection", name, ("read_across", index)
    for role, grants in file.roles.items():
        for action, collections in grants.items():
            for index, name in enumerate(collections):
                yield "collection", name, ("roles", role, action, index)
    for kind in ("user", "role", "secret"):
        for index, name in enumerate(getattr(file.adopted, f"{kind}s")):
            yield f"adopted {kind}", name, ("adopted", f"{kind}s", index)
    for consumer, variable, binding in file.bindings.each():
        path: Path = ("bindings", consumer, variable)
        yield "user", binding.user, (*path, "user")
        for environment, place in binding.places().items():
            if place.cluster is not None:
                yield "cluster", place.cluster, (*path, environment, "cluster")
    for name, successor in file.deprecated_variables.items():
        if successor not in file.deprecated_variables:
            yield "succeeding", successor, ("deprecated_variables", name)
    for name, waiver in file.waivers.items():
        yield "waived", waiver.user, ("waivers", name, "user")
    for name in file.rotation:
        yield "user", name, ("rotation", name)
    for environment, part in file.legacy.items():
        yield "environment", environment, ("legacy", environment)
        for name, user in part.users.items():
            path = ("legacy", environment, "users", name)
            yield "successor", user.successor, (*path, "successor")
            for index, secret in enumerate(user.secrets):
                yield "variable", secret.variable, (*path, "secrets", index, "variable")
                if secret.environment is not None:
                    yield "environment", secret.environment, (*path, "secrets", index, "environment")


def check_collections(file: ManifestFile) -> Iterator[Mistake]:
    """Find collections of a class that must not be where they are, and an audit log that may be absent."""
    homes, log = file.crossings.keys() - misread(file), file.audit.collection
    if (entry := file.collections.get(log)) is not None and entry.may_be_absent:
        yield (
            ("collections", log, "may_be_absent"),
            "the audit log must exist",
            "Remove may_be_absent: an INSERT on a missing log would create it, without anyone's decision (ADR 0002).",
        )
    for index, name in enumerate(file.read_across):
        path: Path = ("read_across", index)
        across = file.collections.get(name)
        if across is not None and across.data_class != "public":
            problem = f"{shown(name)} is {across.data_class}, not public"
            yield path, problem, "Only public data crosses environments (ADR 0004)."
        elif across is not None:
            for home in sorted(homes - set(across.on)):
                problem = f"{shown(name)} does not live on {home}"
                yield path, problem, f"Read across only what {home}'s cluster holds."
    for name, entry in file.collections.items():
        yield from _check_family(name, entry)
        for home in sorted(homes & set(entry.on)) if entry.data_class == "phi" else ():
            yield (
                ("collections", name, "class"),
                f"phi on {home}, whose cluster another environment reads",
                f"PHI never lives on the {home} cluster (ADR 0006): take {home} off `on`.",
            )


def _check_family(name: str, entry: CollectionEntry) -> Iterator[Mistake]:
    said = (entry.views_of, entry.filter)
    if "{" in name and None in said:
        remedy = (
            "Say views_of, the collection that they show, and filter, the field that each is filtered by."
        )
        yield ("collections", name), "a family of views without its source and its field", remedy
    elif "{" not in name and said != (None, None):
        remedy = "Take views_of and filter out, or name a family with a placeholder: agent_{npn}."
        yield ("collections", name), "views_of and filter belong to a family of views", remedy


def check_users(file: ManifestFile, known: Known) -> Iterator[Mistake]:
    """Find users beyond the cap or for one tenant, roles that are not theirs to have, and shared secrets."""
    for index, name in enumerate(known.names("users"), start=1):
        if index > file.user_cap:
            remedy = (
                "Remove it, or write the decision record that ADR 0006 asks for, and raise user_cap with it."
            )
            if _PER_TENANT.search(name):
                remedy += _PLAYBOOK
            problem = f"a {_ordinal(index)} user; a cluster has at most {file.user_cap}"
            yield ("users", name), problem, remedy
        elif _ONE_TENANTS.search(name):
            yield ("users", name), "a database user for one tenant", f"Remove it (ADR 0006).{_PLAYBOOK}"
    owner: dict[str, str] = {}
    seconds = {both_logins(name)[1]: name for name in file.users}
    for name, user in file.users.items():
        if name in seconds:
            problem = f"is the second name of {shown(seconds[name])}, which it has by turns"
            yield ("users", name), problem, "Choose another name."
        for text in user.role:
            if (mistake := _wrong_role(text, file.database)) is not None:
                yield ("users", name, "role"), *mistake
        if user.secret in owner:
            problem = f"shares its secret with {owner[user.secret]}"
            remedy = "A secret holds one user's connection string: give each user its own."
            yield ("users", name, "secret"), problem, remedy
        owner.setdefault(user.secret, name)


def _wrong_role(text: str, own: str) -> tuple[str, str] | None:
    name, _, database = text.partition("@")
    if name not in BUILTIN_ROLES:
        remedy = f"Write {name} alone: Atlas assigns custom roles at admin."
        alone = database in ("", ADMIN_DATABASE)
        return None if alone else (f"custom role {shown(name)} with a database", remedy)
    if name not in ALLOWED_BUILTIN:
        remedy = f"Use read@{own} or readWrite@{own} (ADR 0006)."
        return f"the built-in role {name} is not allowed", remedy
    return None if database else (f"the built-in role {name} needs its database", f"Write {name}@{own}.")


def _ordinal(number: int) -> str:
    return {6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth", 10: "tenth"}.get(number, f"{number}th")


def check_unused(file: ManifestFile) -> Iterator[Mistake]:
    """Find roles that no user has."""
    used = {text.partition("@")[0] for user in file.users.values() for text in user.role}
    for name in file.roles.keys() - used:
        yield (
            ("roles", name),
            f"role {shown(name)} is defined but no user has it",
            "Give it to a user, or remove it.",
        )
