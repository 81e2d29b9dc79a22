"""The audit writer's role with any one privilege more: each action that the server knows, on each kind of resource."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mongod_fixture import LOOPBACK, Cluster
from pymongo.errors import OperationFailure

from atlas_access import privileges
from atlas_access.base.connection import ConnectionString
from atlas_access.base.finding import Status
from atlas_access.clients.mongo import Server
from atlas_access.privileges.identity import IDENTITY_COMMAND, Identity, read_identity
from atlas_access.proof.compare import compare

ROLE = "role_audit_writer"
NAMED = Path(privileges.__file__).with_name("server_actions.txt").read_text(encoding="utf-8").split()
PATTERNS = (
    *(
        {"db": "askflorence", "collection": name}
        for name in ("agent_audit_log", "plans", "agent_audit_logs", "")
    ),
    *(
        {"db": "askflorence", "collection": f"system.{name}"}
        for name in ("js", "profile", "views", "buckets.plans")
    ),
    *({"db": "askflorence_elsewhere", "collection": name} for name in ("", "anything")),
    *({"db": "admin", "collection": name} for name in ("", "system.users", "system.roles")),
    *({"db": "local", "collection": name} for name in ("", "oplog.rs")),
    *({"db": "config", "collection": name} for name in ("", "system.sessions")),
    *({"db": "", "collection": name} for name in ("", "agent_audit_log")),
    {"cluster": True},
)


@pytest.mark.soak
def test_the_audit_role_with_any_privilege_more_is_not_proven(
    cluster: Cluster, record_property: Callable[[str, object], None]
) -> None:
    declared = cluster.declared_privileges(ROLE)
    expected, held = cluster.request("app_audit_writer").expectations, {"find", "insert"}
    version = cluster.root.server_info()["version"]
    mutants, escaped = 0, []
    try:
        with Server(
            ConnectionString.parse(cluster.uri("app_audit_writer")), LOOPBACK, wait_seconds=10
        ) as login:
            for action in filter(lambda name: _knows(cluster, name), NAMED):
                for pattern in PATTERNS:
                    if pattern == PATTERNS[0] and action in held:
                        continue
                    cluster.set_role(ROLE, [*declared, {"resource": pattern, "actions": [action]}])
                    identity = login.ask(IDENTITY_COMMAND, read_identity)
                    mutants += 1
                    found = compare(expected, identity, version) if isinstance(identity, Identity) else ()
                    if all(each.status is Status.GOOD for each in found):
                        escaped.append((action, pattern))
    finally:
        cluster.set_role(ROLE, declared)
    record_property("says", f"{mutants - len(escaped)} of {mutants} mutants of the audit role caught")
    assert [] == escaped
    assert mutants >= 2758


def _knows(cluster: Cluster, action: str) -> bool:
    try:
        cluster.set_role(ROLE, [{"resource": PATTERNS[0], "actions": [action]}])
    except OperationFailure as error:
        if "Unrecognized action" not in str(error):
            raise
        return False
    return True
