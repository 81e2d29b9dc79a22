"""A real mongod for one xdist worker, with the manifest's collections, roles and users, and a way to prove them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pymongo import MongoClient

from atlas_access.base.connection import compose
from atlas_access.base.endpoints import Endpoints
from atlas_access.manifest.load import Manifest, load_manifest
from atlas_access.privileges.actions import mongo_actions
from atlas_access.proof.evidence import Proof
from atlas_access.proof.expectations import expectations
from atlas_access.proof.run import ProofRequest, prove
from sandbox.mongod.process import MongodProcess

ROOT = Path(__file__).resolve().parents[2]
CANARY = 'p@ss:w%2F"'
LOOPBACK = Endpoints(
    sandbox=True,
    aws="http://127.0.0.1:1",
    atlas="http://127.0.0.1:1",
    smoke="http://127.0.0.1:1",
    contacts="http://127.0.0.1:1",
    github="http://127.0.0.1:1",
)


@dataclass
class Cluster:
    """One server that is set up as the manifest says; users' passwords hold characters that must be escaped."""

    server: MongodProcess
    root: "MongoClient[dict[str, Any]]"
    manifest: Manifest
    environment: str = "staging"

    def password(self, user: str) -> str:
        return CANARY + user

    def uri(self, user: str, *, login: str | None = None, address: str | None = None) -> str:
        base = f"mongodb://{address or self.server.address}"
        return compose(base, login or user, self.password(user), self.manifest.database)

    def request(self, user: str, **changes: Any) -> ProofRequest:
        request = ProofRequest(
            expectations=expectations(self.manifest, user, self.environment),
            environment=self.environment,
            secret_arn=f"arn:aws:secretsmanager:us-east-1:111111111111:secret:{user}",
            secret_version="version-1",
            region="us-east-1",
            expected_hosts=(self.server.address,),
            propagation_seconds=0.0,
        )
        return replace(request, **changes)

    def prove(self, user: str, *, text: str | None = None, **changes: Any) -> Proof:
        value = text if text is not None else self.uri(user)
        return prove(self.request(user, **changes), LOOPBACK, read_secret=lambda: value)

    def declared_privileges(self, role: str) -> list[dict[str, Any]]:
        return [
            {
                "resource": {"db": self.manifest.database_of(name), "collection": name},
                "actions": list(mongo_actions(grant.action)),
            }
            for grant in self.manifest.role(role).grants
            for name in grant.collections
        ]

    def declared_roles(self, user: str) -> list[dict[str, str]]:
        return [{"role": role.name, "db": role.database} for role in self.manifest.user(user).roles]

    def set_role(self, role: str, privileges: Sequence[dict[str, Any]], roles: Sequence[Any] = ()) -> None:
        self.root.admin.command("updateRole", role, privileges=list(privileges), roles=list(roles))

    def set_user(self, user: str, roles: Sequence[dict[str, str]]) -> None:
        self.root.admin.command("updateUser", user, roles=list(roles))

    @contextmanager
    def holding(self, user: str, *roles: dict[str, str], instead: bool = False) -> Iterator[None]:
        """Let a user hold more roles, or others instead."""
        declared = self.declared_roles(user)
        self.set_user(user, roles if instead else [*declared, *roles])
        try:
            yield
        finally:
            self.set_user(user, declared)

    @contextmanager
    def granting(
        self, role: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
    ) -> Iterator[None]:
        """Let a role grant what `change` makes of its declared privileges."""
        declared = self.declared_privileges(role)
        self.set_role(role, change(declared))
        try:
            yield
        finally:
            self.set_role(role, declared)

    @contextmanager
    def without(self, name: str = "agent_audit_log") -> Iterator[Any]:
        """The database without a collection, in whose place another may be made."""
        database = self.root[self.manifest.database]
        database[name].rename("kept_aside")
        try:
            yield database
        finally:
            database.drop_collection(name)
            database.kept_aside.rename(name)

    def seed(self) -> None:
        for collection in self.manifest.collections_on(self.environment):
            if not collection.may_be_absent:
                target = self.root[collection.database][collection.name]
                target.insert_many(
                    [{"_id": number, "name": f"{collection.name} {number}"} for number in range(3)]
                )
                target.create_index("name")
        for role in self.manifest.roles:
            self.root.admin.command(
                "createRole", role.name, privileges=self.declared_privileges(role.name), roles=[]
            )
        for user in self.manifest.users:
            password = self.password(user.name)
            self.root.admin.command(
                "createUser", user.name, pwd=password, roles=self.declared_roles(user.name)
            )


def the_manifest() -> Manifest:
    return load_manifest((ROOT / "access.yaml").read_text())


def encodings(text: str) -> tuple[str, ...]:
    """The forms in which a password could show: plain, percent-encoded, in JSON, in base64."""
    import base64
    import json

    return (
        text,
        quote(text, safe=""),
        json.dumps(text)[1:-1],
        base64.b64encode(text.encode()).decode().rstrip("="),
        text.encode().hex(),
    )


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    server = MongodProcess.start(tmp_path_factory.mktemp("mongod"), root_password="root")
    try:
        with server.client() as root:
            made = Cluster(server, root, the_manifest())
            made.seed()
            yield made
    finally:
        server.kill()
