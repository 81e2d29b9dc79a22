"""What MongoDB's built-in database roles grant, by server version, and what kind of effect each action has.

The documented set that a live user's privileges are compared with. Sources: the MongoDB manual's page on built-in
roles, and rolesInfo with showPrivileges on a mongod 6.0.5, which lists exactly the 6.0 sets below. Later majors add
actions; some arrived within a major's patch releases and are kept apart as `patches`: their presence is no excess. No
role is listed that acts beyond its own database.
"""

from enum import StrEnum

from atlas_access.privileges.actions import is_known, version_numbers

SUPPORTED_MAJORS = ("6.0", "7.0", "8.0", "8.1", "8.2", "8.3", "9.0")

BUILTIN_ROLES = frozenset(
    {
        "read", "readWrite", "dbAdmin", "dbOwner", "userAdmin", "enableSharding", "readAnyDatabase",
        "readWriteAnyDatabase", "userAdminAnyDatabase", "dbAdminAnyDatabase", "clusterAdmin", "clusterManager",
        "clusterMonitor", "hostManager", "backup", "restore", "root", "directShardOperations", "searchCoordinator",
        "killOpSession", "autoCompact", "manageShardBalancer", "atlasAdmin",
    }
)  # fmt: skip
"""Names that MongoDB or Atlas defines itself (MongoDB manual, built-in roles), whatever the server's version."""


def _actions(text: str) -> frozenset[str]:
    return frozenset(text.split())


_READ = _actions(
    "changeStream collStats dbHash dbStats find killCursors listCollections listIndexes planCacheRead"
)
_READ_WRITE = _READ | _actions(
    "compactStructuredEncryptionData convertToCapped createCollection createIndex dropCollection dropIndex insert"
    " remove renameCollectionSameDB update"
)
_DB_ADMIN = _actions(
    "bypassDocumentValidation collMod collStats compact convertToCapped createCollection createIndex dbStats"
    " dropCollection dropDatabase dropIndex enableProfiler listCollections listIndexes planCacheIndexFilter"
    " planCacheRead planCacheWrite reIndex renameCollectionSameDB storageDetails validate"
)
_USER_ADMIN = _actions(
    "changeCustomData changePassword createRole createUser dropRole dropUser grantRole revokeRole"
    " setAuthenticationRestriction viewRole viewUser"
)
_PROFILE = _READ | {"convertToCapped", "createCollection", "dropCollection"}

_SEARCH_READ = frozenset({"listSearchIndexes"})
_SEARCH_WRITE = frozenset({"createSearchIndexes", "dropSearchIndex"})
_SEARCH_UPDATE = frozenset({"updateSearchIndex"})
_CLEANUP = frozenset({"cleanupStructuredEncryptionData"})
_RAW = frozenset({"performRawDataOperations"})

Actions = frozenset[str]
_NONE: Actions = frozenset()

_ADDED: dict[str, dict[str, tuple[Actions, Actions]]] = {
    "6.0": {
        "read": (_NONE, _SEARCH_READ),
        "readWrite": (_NONE, _SEARCH_READ | _SEARCH_WRITE | _SEARCH_UPDATE | _CLEANUP),
        "dbAdmin": (_NONE, _SEARCH_READ | _SEARCH_WRITE | _SEARCH_UPDATE),
    },
    "7.0": {
        "read": (_SEARCH_READ, _NONE),
        "readWrite": (_SEARCH_READ | _SEARCH_WRITE, _SEARCH_UPDATE | _CLEANUP),
        "dbAdmin": (
            _SEARCH_READ | _SEARCH_WRITE | _SEARCH_UPDATE | {"analyze", "configureQueryAnalyzer"},
            frozenset({"startBackup"}),
        ),
    },
    "8.0": {
        "read": (_SEARCH_READ, _RAW),
        "readWrite": (_SEARCH_READ | _SEARCH_WRITE | _SEARCH_UPDATE | _CLEANUP, _RAW),
        "dbAdmin": (
            _SEARCH_READ | _SEARCH_WRITE | _SEARCH_UPDATE | {"analyze", "configureQueryAnalyzer"},
            _RAW | {"startBackup"},
        ),
    },
}

_ADDED |= dict.fromkeys(("8.1", "8.2", "8.3", "9.0"), _ADDED["8.0"])
"""The rapid releases made what 8.0's patches had added permanent; the notes of 9.0 name no new action."""

_BASE: dict[str, Actions] = {"read": _READ, "readWrite": _READ_WRITE, "dbAdmin": _DB_ADMIN}


class Effect(StrEnum):
    """What kind of thing an action lets a user do."""

    READS = "reads"
    WRITES = "writes"
    ADMINISTERS = "administers"
    UNKNOWN = "unknown"


_READING = _READ | _SEARCH_READ | _actions("indexStats storageDetails")
_WRITING = (_READ_WRITE | _SEARCH_WRITE | _SEARCH_UPDATE | _CLEANUP | _RAW) - _READING
_MAY_HAVE = {
    "read": frozenset({Effect.READS}),
    "readWrite": frozenset({Effect.READS, Effect.WRITES}),
    "dbAdmin": frozenset({Effect.READS, Effect.ADMINISTERS}),
    "userAdmin": frozenset({Effect.ADMINISTERS}),
    "dbOwner": frozenset({Effect.READS, Effect.WRITES, Effect.ADMINISTERS}),
}


def effect_of(action: str) -> Effect:
    """Classify a server's action; one that no table of this project names is unknown."""
    if action in _READING:
        return Effect.READS
    if action in _WRITING:
        return Effect.WRITES
    return Effect.ADMINISTERS if is_known(action) else Effect.UNKNOWN


def effects_of_role(role: str) -> frozenset[Effect]:
    """What kinds of actions a built-in role may have in a version that is not documented here."""
    return _MAY_HAVE.get(role, frozenset())


class UnknownServerVersion(ValueError):
    """No documented set for this server version: whatever it reports is inconclusive."""


class UnknownBuiltinRole(ValueError):
    """No documented set for this role."""


def is_documented(version: str) -> bool:
    """Whether there is a documented set for exactly this major; a newer one is compared with the newest set."""
    return ".".join(map(str, (*version_numbers(version), 0)[:2])) in SUPPORTED_MAJORS


def major_of(version: str) -> str:
    """Return the documented set for a version: "6.0" for "6.0.5", the newest for a newer one.

    Raises UnknownServerVersion for an older version, and for a text that is none.
    """
    try:
        numbers = (*version_numbers(version), 0)[:2]
    except ValueError:
        numbers = ()
    older = [each for each in SUPPORTED_MAJORS if version_numbers(each) <= numbers]
    if not older:
        raise UnknownServerVersion(
            f"no documented privileges for this MongoDB version; known are {', '.join(SUPPORTED_MAJORS)}"
        )
    return older[-1]


def version_warning(version: str) -> str:
    """Say what it means for proofs that a cluster's version is not documented here; "" when it is."""
    try:
        nearest = major_of(version)
    except UnknownServerVersion as error:
        return (
            f"MongoDB {version or '(unknown)'}: {error}. Every proof of a built-in role will be inconclusive."
        )
    if is_documented(version):
        return ""
    return (
        f"MongoDB {version} is newer than the privileges documented here; proofs compare it with {nearest}. "
        "Operations without a documented harmless form are decided by the server's own list. An action that no table "
        "names makes a proof inconclusive until access.yaml lists it under accepted_actions."
    )


def builtin_actions(role: str, version: str) -> tuple[dict[str, Actions], dict[str, Actions]]:
    """Return what a built-in role grants on its database, and what patch releases may add to that.

    Both map a collection ("" for every collection but system.*) to the server's action names. Known are read,
    readWrite, dbAdmin, userAdmin and dbOwner. Raises UnknownBuiltinRole, UnknownServerVersion.
    """
    major = major_of(version)
    if role == "userAdmin":
        return {"": _USER_ADMIN}, {}
    if role == "dbOwner":
        parts = [builtin_actions(part, version) for part in ("readWrite", "dbAdmin", "userAdmin")]
        return _union([granted for granted, _ in parts]), _union([patches for _, patches in parts])
    if role not in _BASE:
        raise UnknownBuiltinRole(
            f"no documented privileges for the built-in role {role}; use read or readWrite"
        )
    added, patches = _ADDED[major][role]
    actions = _BASE[role] | added
    if role == "dbAdmin":
        read_added, read_patches = _ADDED[major]["read"]
        return {"": actions, "system.profile": _PROFILE | read_added}, {
            "": patches,
            "system.profile": read_patches,
        }
    return {"": actions, "system.js": actions}, {"": patches, "system.js": patches}


def _union(parts: list[dict[str, Actions]]) -> dict[str, Actions]:
    merged: dict[str, Actions] = {}
    for part in parts:
        for collection, actions in part.items():
            merged[collection] = merged.get(collection, _NONE) | actions
    return merged
