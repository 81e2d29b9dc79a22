"""Whether the names of a manifest fit together: roles, collections, users, secrets and what is adopted.

For: every rule that needs more than one place of the file. Each check gets the well-formed entries and the names that
the file declares at all, so that one broken entry does not bring forth errors elsewhere.
Never: looks at what privileges add up to (atlas_access.manifest.consequences does).
"""

import re
from collections.abc import Iterable, Iterator

from atlas_access.base import Document, ManifestError, Path, Plain, dotted, shown, suggestion
from atlas_access.manifest.file import ManifestFile
from atlas_access.manifest.model import ADMIN_DATABASE
from atlas_access.manifest.shape import Mistake
from atlas_access.privileges import ATLAS_ACTIONS, BUILTIN_ROLES, ActionScope

USERS_AT_MOST = 5
"""A cluster's users (ADR 0006): the four, and one for the admin dashboard. A sixth needs a decision record."""

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


def declared(document: Document, section: str) -> frozenset[str]:
    """Return the names that a section of the file declares, well-formed or not."""
    data = document.data
    entries: Plain = data.get(section) if isinstance(data, dict) else None
    return frozenset(entries) if isinstance(entries, dict) else frozenset()


def check_words(document: Document) -> Iterator[Mistake]:
    """Find wildcards anywhere."""
    for path, value in document.scalars():
        if isinstance(value, str) and "*" in value and path[-1:] != ("reason",):
            yield (
                path,
                "a wildcard",
                "Name each collection, action and role: what is granted can then be reviewed.",
            )


def check_repeats(document: Document, source: str) -> Iterator[ManifestError]:
    """Find keys that stand twice in one mapping; the error has the line of the second."""
    for repeat in document.repeated:
        name, path = shown(repeat.path[-1]), repeat.path
        problem, remedy = f"{name} stands twice", f"Keep one; the first is in line {repeat.first_line}."
        if len(path) == 3 and path[0] == "bindings":
            users = [_user_of(_at(document.data, path)), _user_of(repeat.value)]
            problem = f"bound twice ({', '.join(users)})"
            remedy = f"A variable has one user; it stands first in line {repeat.first_line}."
        elif len(path) == 3 and path[0] == "roles":
            problem = f"{name} is listed twice"
            remedy = f"Put its collections into one list, in line {repeat.first_line}."
        yield ManifestError(source, repeat.line, dotted(path), problem, remedy)


def _at(data: Plain, path: Path) -> Plain:
    for part in path:
        data = data.get(str(part)) if isinstance(data, dict) else None
    return data


def _user_of(entry: Plain) -> str:
    user = entry.get("user") if isinstance(entry, dict) else None
    return shown(user).strip('"') if isinstance(user, str) else "?"


def check_names(file: ManifestFile, document: Document) -> Iterator[Mistake]:
    """Find every name that leads nowhere or stands where it must not."""
    yield from _environments_and_audit(file, document)
    yield from _collections(file, document)
    yield from _roles(file, document)
    yield from _users(file, document)
    yield from _secrets_of_users(file)
    yield from _adopted(file, document)


def _twice(path: Path, names: Iterable[str]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield (*path, index), f"{shown(name)} is listed twice", "Name it once."
        seen.add(name)


def _environments_and_audit(file: ManifestFile, document: Document) -> Iterator[Mistake]:
    yield from _twice(("environments",), file.environments)
    if "local" in file.environments:
        yield (
            ("environments",),
            '"local" is a developer\'s machine',
            "Remove it: local bindings use the first environment.",
        )
    log = file.audit.collection
    if log not in declared(document, "collections"):
        yield (
            ("audit", "collection"),
            f"collection {shown(log)} is not defined",
            "Define it under collections:.",
        )
    elif (entry := file.collections.get(log)) is not None and entry.may_be_absent:
        yield (
            ("collections", log, "may_be_absent"),
            "the audit log must exist",
            "Remove may_be_absent: an INSERT on a missing log would create it, without anyone's decision (ADR 0002).",
        )
    for key in ("database", "audit.database"):
        path = tuple(key.split("."))
        if (file.database if len(path) == 1 else file.audit.database) in ("admin", "local", "config"):
            yield path, "a database of the server itself", "Name a database of the application."


def _collections(file: ManifestFile, document: Document) -> Iterator[Mistake]:
    for name, entry in file.collections.items():
        path: Path = ("collections", name)
        if name.startswith("system."):
            yield path, "a system collection", "Remove it: nobody is granted system.* by name."
        yield from _twice((*path, "on"), entry.on)
        for index, environment in enumerate(entry.on):
            if environment not in file.environments:
                yield (
                    (*path, "on", index),
                    f"environment {shown(environment)} is not defined",
                    f"Use one of: {', '.join(file.environments)}.",
                )
    known = declared(document, "collections")
    home = file.environments[0]
    yield from _twice(("read_across",), file.read_across)
    for index, name in enumerate(file.read_across):
        path = ("read_across", index)
        across = file.collections.get(name)
        if name not in known:
            yield _undefined_collection(path, name, known)
        elif across is not None and across.data_class != "public":
            yield (
                path,
                f"{shown(name)} is {across.data_class}, not public",
                "Only public data crosses environments (ADR 0004).",
            )
        elif across is not None and home not in across.on:
            yield (
                path,
                f"{shown(name)} does not live on {home}",
                f"Read across only what {home}'s cluster holds.",
            )
    for name, entry in file.collections.items():
        if file.read_across and entry.data_class == "phi" and home in entry.on:
            yield (
                ("collections", name, "class"),
                f"phi on {home}, whose cluster another environment reads",
                f"PHI never lives on the {home} cluster (ADR 0006): take {home} off `on`.",
            )


def _undefined_collection(path: Path, name: str, known: Iterable[str]) -> Mistake:
    return (
        path,
        f"collection {shown(name)} is not defined",
        f"Define it under collections:.{suggestion(name, known)}",
    )


def _roles(file: ManifestFile, document: Document) -> Iterator[Mistake]:
    known = declared(document, "collections")
    used = {text.split("@")[0] for user in file.users.values() for text in user.role}
    complete = set(file.users) == declared(document, "users")
    for name, grants in file.roles.items():
        path: Path = ("roles", name)
        if name in BUILTIN_ROLES:
            yield (
                path,
                f"{shown(name)} is a built-in role's name",
                "Choose another, such as role_audit_writer.",
            )
        if complete and name not in used:
            yield (
                path,
                f"role {shown(name)} is defined but no user has it",
                "Give it to a user, or remove it.",
            )
        for action, collections in grants.items():
            here = (*path, action)
            if (mistake := _wrong_action(here, action)) is not None:
                yield mistake
            yield from _twice(here, collections)
            for index, collection in enumerate(collections):
                if collection not in known:
                    yield _undefined_collection((*here, index), collection, known)


def _wrong_action(path: Path, name: str) -> Mistake | None:
    action = ATLAS_ACTIONS.get(name)
    if action is None:
        hint = suggestion(name.upper(), ATLAS_ACTIONS)
        return (
            path,
            f"{shown(name)} is no Atlas action",
            f"Use an action of Atlas custom roles, such as FIND.{hint}",
        )
    if action.scope is ActionScope.ELSEWHERE:
        return path, f"{name} has no effect here: {action.absent_because}", "Remove it."
    if action.scope is not ActionScope.COLLECTION:
        return (
            path,
            f"{name} acts on the whole {action.scope}, not on collections",
            "Remove it: an application's role acts on named collections only (ADR 0006).",
        )
    return None


def _users(file: ManifestFile, document: Document) -> Iterator[Mistake]:
    for index, name in enumerate(_in_file(document, "users")):
        if index >= USERS_AT_MOST:
            remedy = "Remove it, or write the follow-up decision record that ADR 0006 asks for."
            if _PER_TENANT.search(name):
                remedy += _PLAYBOOK
            yield (
                ("users", name),
                f"a {_ordinal(index + 1)} user; a cluster has at most {USERS_AT_MOST}",
                remedy,
            )
        elif _ONE_TENANTS.search(name):
            yield ("users", name), "a database user for one tenant", f"Remove it (ADR 0006).{_PLAYBOOK}"
    roles = declared(document, "roles")
    for name, user in file.users.items():
        path: Path = ("users", name, "role")
        yield from _twice(path, user.role)
        for text in user.role:
            if (mistake := _wrong_role(path, text, file, roles)) is not None:
                yield mistake


def _wrong_role(path: Path, text: str, file: ManifestFile, roles: frozenset[str]) -> Mistake | None:
    name, _, database = text.partition("@")
    databases = list(dict.fromkeys((file.database, file.audit.database)))
    if name in BUILTIN_ROLES:
        if name not in ALLOWED_BUILTIN:
            return (
                path,
                f"the built-in role {name} is not allowed",
                f"Use read@{file.database} or readWrite@{file.database} (ADR 0006).",
            )
        if not database:
            return path, f"the built-in role {name} needs its database", f"Write {name}@{file.database}."
        if database not in databases:
            return (
                path,
                f"{shown(text)} reaches a database that is not the manifest's",
                f"Use {name}@{' or '.join(databases)}.",
            )
        return None
    if database not in ("", ADMIN_DATABASE):
        return (
            path,
            f"custom role {shown(name)} with a database",
            f"Write {name} alone: Atlas assigns custom roles at admin.",
        )
    if name not in roles:
        near = suggestion(name, roles | set(ALLOWED_BUILTIN))
        return (
            path,
            f"role {shown(name)} is not defined",
            f"Define it under roles:, or use read@{file.database}.{near}",
        )
    return None


def _in_file(document: Document, section: str) -> tuple[str, ...]:
    data = document.data
    entries: Plain = data.get(section) if isinstance(data, dict) else None
    return tuple(entries) if isinstance(entries, dict) else ()


def _ordinal(number: int) -> str:
    return {6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth", 10: "tenth"}.get(number, f"{number}th")


def _secrets_of_users(file: ManifestFile) -> Iterator[Mistake]:
    owner: dict[str, str] = {}
    for name, user in file.users.items():
        if user.secret in owner:
            yield (
                ("users", name, "secret"),
                f"shares its secret with {owner[user.secret]}",
                "A secret holds one user's connection string: give each user its own.",
            )
        owner.setdefault(user.secret, name)


def _adopted(file: ManifestFile, document: Document) -> Iterator[Mistake]:
    secrets = {user.secret for user in file.users.values()}
    secrets |= {entry.secret for _, _, entry in file.bindings.each() if entry.secret is not None}
    for kind, names, known in (
        ("users", file.adopted.users, declared(document, "users")),
        ("roles", file.adopted.roles, declared(document, "roles")),
        ("secrets", file.adopted.secrets, frozenset(secrets)),
    ):
        yield from _twice(("adopted", kind), names)
        for index, name in enumerate(names):
            if name not in known and (kind != "secrets" or set(file.users) == declared(document, "users")):
                yield (
                    ("adopted", kind, index),
                    f"{shown(name)} is adopted but not declared",
                    f"Declare it, or remove it here.{suggestion(name, known)}",
                )
