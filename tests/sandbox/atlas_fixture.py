"""An emulator over two real servers for one xdist worker, with clients that sign in as the providers do."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from requests.auth import HTTPDigestAuth

from sandbox.atlas import AtlasEmulator, ProjectSpec
from sandbox.mongod.process import MongodProcess

STAGING = "69e31af12fd2c0aef51bbb41"
PROD = "69dc20c64005b222804dafa4"
PASSWORD = "Correct-horse-7-battery"
V1 = "application/vnd.atlas.2023-01-01+json"
V_CLUSTER = "application/vnd.atlas.2024-08-05+json"


@dataclass
class Api:
    """A client of one project; `send` signs in by digest."""

    url: str
    project_id: str
    auth: Any
    session: requests.Session = field(default_factory=requests.Session)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str = V1,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> requests.Response:
        typed = {"Content-Type": version} if body is not None else {}
        sent = {"Accept": version, **typed, **(headers or {})}
        return self.session.request(
            method,
            f"{self.url}/api/atlas/v2/groups/{self.project_id}{path}",
            json=body,
            headers=sent,
            auth=self.auth,
            timeout=20,
            **more,
        )

    def add_user(self, name: str, **changes: Any) -> requests.Response:
        return self.send("POST", "/databaseUsers", user_body(name, self.project_id, **changes))

    def add_role(self, name: str, **changes: Any) -> requests.Response:
        return self.send("POST", "/customDBRoles/roles", role_body(name, **changes))


@dataclass
class Atlas:
    """The emulator, its servers and a client of each project."""

    emulator: AtlasEmulator
    servers: Mapping[str, MongodProcess]
    staging: Api
    prod: Api
    specs: tuple[ProjectSpec, ...]

    def control(self, path: str, body: Any) -> requests.Response:
        return requests.post(f"{self.emulator.url}/sandbox/atlas{path}", json=body, timeout=20)

    def login(
        self, name: str, password: str = PASSWORD, project_id: str = STAGING
    ) -> "MongoClient[dict[str, Any]]":
        return MongoClient(
            self.servers[project_id].address, username=name, password=password, directConnection=True
        )

    def applied(self, seconds: float = 20.0) -> bool:
        """Whether staging's server has taken every change in time; a busy one is asked again by the emulator."""
        deadline = time.monotonic() + seconds
        while self.emulator.status()[STAGING]["pending"] and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.emulator.status()[STAGING]["pending"]

    def can_log_in(self, name: str, password: str = PASSWORD, project_id: str = STAGING) -> bool:
        with self.login(name, password, project_id) as client:
            try:
                client.admin.command("ping")
            except OperationFailure as error:
                return error.code != 18
            return True

    def privileges(self, name: str) -> dict[str, set[str]]:
        with self.login(name) as client:
            status = client.admin.command("connectionStatus", showPrivileges=True)
        found: dict[str, set[str]] = {}
        for privilege in status["authInfo"]["authenticatedUserPrivileges"]:
            resource = privilege["resource"]
            where = (
                "cluster" if resource.get("cluster") else f"{resource.get('db')}.{resource.get('collection')}"
            )
            found.setdefault(where, set()).update(privilege["actions"])
        return found


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def status(atlas: Atlas) -> str:
    answer = atlas.staging.send("GET", "/clusters/staging/status").json()
    return str(answer["changeStatus"])


def user_body(name: str, project_id: str = STAGING, **changes: Any) -> dict[str, Any]:
    body = {
        "awsIAMType": "NONE",
        "databaseName": "admin",
        "groupId": project_id,
        "labels": [],
        "ldapAuthType": "NONE",
        "oidcAuthType": "NONE",
        "password": PASSWORD,
        "roles": [{"databaseName": "shop", "roleName": "read"}],
        "scopes": [],
        "username": name,
        "x509Type": "NONE",
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


def role_body(name: str, **changes: Any) -> dict[str, Any]:
    find = {"action": "FIND", "resources": [{"cluster": False, "collection": "orders", "db": "shop"}]}
    return {"actions": [find], "inheritedRoles": [], "roleName": name, **changes}


def grants(action: str, *, cluster: bool = False, db: str = "shop", collection: str = "") -> dict[str, Any]:
    where = {"cluster": cluster, "db": "" if cluster else db, "collection": collection}
    return {"action": action, "resources": [where]}


def _spec(project_id: str, name: str, server: MongodProcess, private: str | None) -> ProjectSpec:
    return ProjectSpec(
        project_id=project_id,
        name=name,
        cluster_name=name,
        mongod_uri=server.root_uri,
        public_address=server.address,
        private_address=private,
        public_key=f"public-{name}",
        private_key=f"private-{name}",
        client_id=f"mdb_sa_id_{name}",
        client_secret=f"mdb_sa_sk_{name}",
        read_only_public_key=f"reader-{name}",
        read_only_private_key=f"reader-private-{name}",
        mongod_log=server.log_path,
    )


@pytest.fixture(scope="session")
def atlas_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, MongodProcess]]:
    folder = tmp_path_factory.mktemp("atlas")
    with ThreadPoolExecutor() as pool:
        starting = {
            project: pool.submit(
                MongodProcess.start,
                folder / project,
                root_password="root-secret",
                replica_set=f"rs-{project[:4]}",
            )
            for project in (STAGING, PROD)
        }
        servers = {project: future.result() for project, future in starting.items()}
    yield servers
    for server in servers.values():
        server.kill()


@pytest.fixture
def specs(atlas_servers: Mapping[str, MongodProcess]) -> tuple[ProjectSpec, ...]:
    return (
        _spec(STAGING, "staging", atlas_servers[STAGING], "127.0.0.1:9"),
        _spec(PROD, "prod", atlas_servers[PROD], None),
    )


@pytest.fixture
def atlas(atlas_servers: Mapping[str, MongodProcess], specs: tuple[ProjectSpec, ...]) -> Iterator[Atlas]:
    """A fresh emulator without propagation delay; what it made in the servers is gone afterwards."""
    emulator = AtlasEmulator(specs, propagation_seconds=0.0)
    url = emulator.start()
    staging, prod = (
        Api(url, spec.project_id, HTTPDigestAuth(spec.public_key, spec.private_key)) for spec in specs
    )
    try:
        yield Atlas(emulator, atlas_servers, staging, prod, specs)
    finally:
        emulator.stop()
        for server in atlas_servers.values():
            with server.client() as root:
                for user in root.admin.command("usersInfo")["users"]:
                    if user["user"] != "root":
                        root.admin.command("dropUser", user["user"])
                root.admin.command("dropAllRolesFromDatabase")
