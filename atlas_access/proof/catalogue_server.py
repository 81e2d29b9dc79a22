"""Rows of the catalogue that act on users, roles, the server and the cluster."""

from atlas_access.proof.operation import (
    Command,
    Form,
    Need,
    On,
    Operation,
    Target,
    explained,
    on_cluster,
    on_database,
)

READ, IMPOSSIBLE, EQUALITY = Form.READ, Form.IMPOSSIBLE_ARGUMENT, Form.EQUALITY
MANAGE = "Privilege Actions: Database Management Actions"
SERVER = "Privilege Actions: Server Administration Actions"
DIAGNOSE = "Privilege Actions: Diagnostic Actions"
DEPLOY = "Privilege Actions: Deployment Management Actions"
REPLICATE = "Privilege Actions: Replication Actions"
SESSIONS = "Privilege Actions: Session Actions"
# What an authorized user is answered for a user or role that exists nowhere.
USER_NOT_FOUND = frozenset({11})
ROLE_NOT_FOUND = frozenset({31})
NEITHER_FOUND = USER_NOT_FOUND | ROLE_NOT_FOUND
BAD_VALUE = frozenset({2})
NO_CODE = frozenset({0, 72})
NOT_SHARDED = frozenset({203})
ILLEGAL_OPERATION = frozenset({20})


def _database(action: str) -> Need:
    return Need(action, On.DATABASE)


def _cluster(action: str) -> tuple[Need, ...]:
    return (Need(action, On.CLUSTER),)


def _no_role(t: Target) -> list[dict[str, str]]:
    return [{"role": f"{t.token}_role", "db": t.database}]


def _write_privilege(t: Target) -> list[dict[str, object]]:
    return [{"resource": {"db": t.database, "collection": t.token}, "actions": ["update"]}]


def _administer(*stages: Command) -> Command:
    return {"aggregate": 1, "pipeline": list(stages), "cursor": {}}


USERS_AND_ROLES: tuple[Operation, ...] = (
    on_database(
        "createUser",
        IMPOSSIBLE,
        (_database("createUser"), _database("grantRole")),
        MANAGE,
        lambda t: {"createUser": t.token, "pwd": t.token, "roles": _no_role(t)},
        ROLE_NOT_FOUND,
    ),
    on_database(
        "updateUser",
        IMPOSSIBLE,
        (_database("changePassword"),),
        MANAGE,
        lambda t: {"updateUser": t.token, "pwd": t.token},
        USER_NOT_FOUND,
    ),
    on_database(
        "dropUser",
        IMPOSSIBLE,
        (_database("dropUser"),),
        MANAGE,
        lambda t: {"dropUser": t.token},
        USER_NOT_FOUND,
    ),
    on_database(
        "grantRolesToUser",
        IMPOSSIBLE,
        (_database("grantRole"),),
        MANAGE,
        lambda t: {"grantRolesToUser": t.token, "roles": _no_role(t)},
        NEITHER_FOUND,
    ),
    on_database(
        "revokeRolesFromUser",
        IMPOSSIBLE,
        (_database("revokeRole"),),
        MANAGE,
        lambda t: {"revokeRolesFromUser": t.token, "roles": _no_role(t)},
        NEITHER_FOUND,
    ),
    on_database("usersInfo", READ, (_database("viewUser"),), MANAGE, lambda _: {"usersInfo": 1}),
    on_database(
        "createRole",
        IMPOSSIBLE,
        (_database("createRole"), _database("grantRole")),
        MANAGE,
        lambda t: {"createRole": t.token, "privileges": [], "roles": _no_role(t)},
        ROLE_NOT_FOUND,
    ),
    on_database(
        "updateRole",
        IMPOSSIBLE,
        (Need("revokeRole", On.EVERY_DATABASE),),
        MANAGE,
        lambda t: {"updateRole": t.token, "privileges": []},
        ROLE_NOT_FOUND,
    ),
    on_database(
        "dropRole",
        IMPOSSIBLE,
        (_database("dropRole"),),
        MANAGE,
        lambda t: {"dropRole": t.token},
        ROLE_NOT_FOUND,
    ),
    on_database(
        "grantRolesToRole",
        IMPOSSIBLE,
        (_database("grantRole"),),
        MANAGE,
        lambda t: {"grantRolesToRole": t.token, "roles": _no_role(t)},
        ROLE_NOT_FOUND,
    ),
    on_database(
        "revokeRolesFromRole",
        IMPOSSIBLE,
        (_database("revokeRole"),),
        MANAGE,
        lambda t: {"revokeRolesFromRole": t.token, "roles": _no_role(t)},
        ROLE_NOT_FOUND,
    ),
    on_database(
        "grantPrivilegesToRole",
        IMPOSSIBLE,
        (_database("grantRole"),),
        MANAGE,
        lambda t: {"grantPrivilegesToRole": t.token, "privileges": _write_privilege(t)},
        ROLE_NOT_FOUND,
    ),
    on_database(
        "revokePrivilegesFromRole",
        IMPOSSIBLE,
        (_database("revokeRole"),),
        MANAGE,
        lambda t: {"revokePrivilegesFromRole": t.token, "privileges": _write_privilege(t)},
        ROLE_NOT_FOUND,
    ),
    on_database("rolesInfo", READ, (_database("viewRole"),), MANAGE, lambda _: {"rolesInfo": 1}),
    on_database("change its own password", EQUALITY, (_database("changeOwnPassword"),), MANAGE),
    on_database("change its own custom data", EQUALITY, (_database("changeOwnCustomData"),), MANAGE),
    on_database("dropAllUsersFromDatabase", EQUALITY, (_database("dropUser"),), MANAGE),
    on_database("dropAllRolesFromDatabase", EQUALITY, (_database("dropRole"),), MANAGE),
)

INSPECTION: tuple[Operation, ...] = (
    on_cluster(
        "currentOp of all users",
        READ,
        _cluster("inprog"),
        SERVER,
        lambda _: _administer({"$currentOp": {"allUsers": True}}, {"$limit": 1}),
    ),
    on_cluster(
        "listDatabases",
        READ,
        _cluster("listDatabases"),
        DIAGNOSE,
        lambda _: {"listDatabases": 1, "nameOnly": True, "authorizedDatabases": False},
    ),
    on_cluster(
        "list sessions of all users",
        READ,
        _cluster("listSessions"),
        SESSIONS,
        lambda _: _administer({"$listLocalSessions": {"allUsers": True}}, {"$limit": 1}),
    ),
    on_cluster(
        "change stream of the cluster",
        Form.EXPLAIN,
        (Need("find", On.EVERY_DATABASE), Need("changeStream", On.EVERY_DATABASE)),
        "Change Streams: Access Control",
        lambda _: explained(_administer({"$changeStream": {"allChangesForCluster": True}})),
    ),
    on_cluster(
        "getParameter", READ, _cluster("getParameter"), SERVER, lambda _: {"getParameter": 1, "logLevel": 1}
    ),
    on_cluster(
        "getClusterParameter",
        READ,
        _cluster("getClusterParameter"),
        SERVER,
        lambda _: {"getClusterParameter": "*"},
    ),
    on_cluster("getCmdLineOpts", READ, _cluster("getCmdLineOpts"), DIAGNOSE, lambda _: {"getCmdLineOpts": 1}),
    on_cluster("getLog", READ, _cluster("getLog"), DIAGNOSE, lambda _: {"getLog": "*"}),
    on_cluster(
        "getDefaultRWConcern",
        READ,
        _cluster("getDefaultRWConcern"),
        SERVER,
        lambda _: {"getDefaultRWConcern": 1},
    ),
    on_cluster("hostInfo", READ, _cluster("hostInfo"), SERVER, lambda _: {"hostInfo": 1}),
    on_cluster(
        "serverStatus",
        READ,
        _cluster("serverStatus"),
        DIAGNOSE,
        lambda _: {"serverStatus": 1, "metrics": 0, "repl": 0},
    ),
    on_cluster("connPoolStats", READ, _cluster("connPoolStats"), DIAGNOSE, lambda _: {"connPoolStats": 1}),
    on_cluster("top", READ, _cluster("top"), DIAGNOSE, lambda _: {"top": 1}),
    on_cluster(
        "replSetGetStatus", READ, _cluster("replSetGetStatus"), REPLICATE, lambda _: {"replSetGetStatus": 1}
    ),
    on_cluster(
        "replSetGetConfig", READ, _cluster("replSetGetConfig"), REPLICATE, lambda _: {"replSetGetConfig": 1}
    ),
    on_cluster(
        "getShardMap",
        READ,
        _cluster("getShardMap"),
        "Privilege Actions: Sharding Actions",
        lambda _: {"getShardMap": 1},
        NOT_SHARDED,
    ),
    on_cluster(
        "shardingState",
        READ,
        _cluster("shardingState"),
        "Privilege Actions: Sharding Actions",
        lambda _: {"shardingState": 1},
    ),
)

CONTROL: tuple[Operation, ...] = (
    on_cluster("killOp", IMPOSSIBLE, _cluster("killop"), SERVER, lambda _: {"killOp": 1, "op": -1}),
    on_cluster(
        "killAllSessions",
        IMPOSSIBLE,
        _cluster("killAnySession"),
        SESSIONS,
        lambda t: {"killAllSessions": [{"user": t.token, "db": t.database}]},
        USER_NOT_FOUND,
    ),
    on_cluster(
        "setParameter",
        IMPOSSIBLE,
        _cluster("setParameter"),
        SERVER,
        lambda t: {"setParameter": 1, t.token: 1},
        NO_CODE,
    ),
    on_cluster(
        "setClusterParameter",
        IMPOSSIBLE,
        _cluster("setClusterParameter"),
        SERVER,
        lambda t: {"setClusterParameter": {t.token: 1}},
        ILLEGAL_OPERATION,
    ),
    on_cluster(
        "setDefaultRWConcern",
        IMPOSSIBLE,
        _cluster("setDefaultRWConcern"),
        SERVER,
        lambda _: {"setDefaultRWConcern": 1},
        BAD_VALUE,
    ),
    *(
        on_cluster(name, EQUALITY, _cluster(action), source)
        for name, action, source in (
            ("shutdown", "shutdown", SERVER),
            ("fsync", "fsync", SERVER),
            ("fsyncUnlock", "unlock", SERVER),
            ("applyOps", "applyOps", "Privilege Actions: Internal Actions"),
            ("logRotate", "logRotate", SERVER),
            ("rotateCertificates", "rotateCertificates", SERVER),
            ("setFeatureCompatibilityVersion", "setFeatureCompatibilityVersion", SERVER),
            ("setUserWriteBlockMode", "setUserWriteBlockMode", SERVER),
            ("bypass a write block", "bypassWriteBlockingMode", SERVER),
            ("invalidateUserCache", "invalidateUserCache", DEPLOY),
            ("dropConnections", "dropConnections", SERVER),
            ("replSetReconfig", "replSetConfigure", REPLICATE),
            ("replSetInitiate", "replSetConfigure", REPLICATE),
            ("replSetStepDown", "replSetStateChange", REPLICATE),
            ("replSetFreeze", "replSetStateChange", REPLICATE),
            ("replSetMaintenance", "replSetStateChange", REPLICATE),
            ("replSetResizeOplog", "replSetResizeOplog", REPLICATE),
            ("impersonate another user", "impersonate", "Privilege Actions: Internal Actions"),
        )
    ),
)

ROWS = USERS_AND_ROLES + INSPECTION + CONTROL
