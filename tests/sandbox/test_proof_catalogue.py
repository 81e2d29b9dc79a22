"""Every row of the catalogue against a real server: its privileges are exactly those that it names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from mongod_fixture import LOOPBACK, Cluster

from atlas_access.base.connection import ConnectionString, compose
from atlas_access.clients.mongo import Server
from atlas_access.clients.pipeline import Sending
from atlas_access.proof.catalogue import OPERATIONS
from atlas_access.proof.expectations import ADMIN
from atlas_access.proof.operation import Form, Need, On, Operation, Scope, Target
from atlas_access.proof.verdict import Outcome, judge

TARGET = "agent_audit_log"
VIA = "plans"
ROLE = "role_of_one_row"
USER = "user_of_one_row"
MAJOR = 6
ATTEMPTED = [row for row in OPERATIONS if not row.by_equality and row.since <= MAJOR]


@dataclass
class RowTester:
    """A user whose single role is made anew for every attempt."""

    cluster: Cluster
    server: Server

    def outcome(self, row: Operation, needs: Sequence[Need]) -> Outcome:
        self.cluster.set_role(ROLE, [_privilege(need, row) for need in needs])
        database = "askflorence" if row.scope is not Scope.CLUSTER else ADMIN
        collection = TARGET if row.scope is Scope.COLLECTION else ""
        target = Target(database, collection, VIA, f"_probe_{uuid4().hex}", uuid4())
        assert row.command is not None
        where, transaction = ADMIN if row.on_admin else database, row.form is Form.ABORTED_TRANSACTION
        sending = Sending(where, row.command(target), in_transaction=transaction)
        (reply,) = self.server.commands([sending])
        return judge(row, reply.answer).outcome


def _privilege(need: Need, row: Operation) -> dict[str, Any]:
    database = "askflorence"
    collection = TARGET if row.scope is Scope.COLLECTION else ""
    resource: dict[str, Any] = {
        On.TARGET: {"db": database, "collection": collection},
        On.VIA: {"db": database, "collection": VIA},
        On.DATABASE: {"db": database, "collection": ""},
        On.EVERY_DATABASE: {"db": "", "collection": ""},
        On.CLUSTER: {"cluster": True},
    }[need.on]
    return {"resource": resource, "actions": [need.action]}


@pytest.fixture(scope="module")
def tester(cluster: Cluster) -> Iterator[RowTester]:
    admin = cluster.root.admin
    admin.command("createRole", ROLE, privileges=[], roles=[])
    admin.command("createUser", USER, pwd="only-for-rows", roles=[ROLE])
    text = compose(f"mongodb://{cluster.server.address}", USER, "only-for-rows", "askflorence")
    with Server(ConnectionString.parse(text), LOOPBACK, wait_seconds=5) as server:
        yield RowTester(cluster, server)
    admin.command("dropUser", USER)
    admin.command("dropRole", ROLE)


@pytest.mark.parametrize("row", ATTEMPTED, ids=lambda row: row.name)
def test_the_privileges_that_a_row_names_are_enough(tester: RowTester, row: Operation) -> None:
    assert tester.outcome(row, row.needs) is Outcome.ALLOWED


@pytest.mark.parametrize("row", [row for row in ATTEMPTED if row.instead], ids=lambda row: row.name)
def test_the_privileges_that_may_stand_in_are_enough(tester: RowTester, row: Operation) -> None:
    assert tester.outcome(row, row.instead) is Outcome.ALLOWED


@pytest.mark.parametrize("row", ATTEMPTED, ids=lambda row: row.name)
def test_without_any_one_of_its_privileges_a_row_is_denied(tester: RowTester, row: Operation) -> None:
    short = [tuple(each for each in row.needs if each is not need) for need in row.needs]
    assert [Outcome.DENIED] * len(short) == [tester.outcome(row, needs) for needs in short]
