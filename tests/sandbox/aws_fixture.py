"""An AWS of the sandbox in this process, with accounts that no other test has."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from atlas_access.base.endpoints import Endpoints
from sandbox.aws.account import build_account
from sandbox.aws.server import AwsServer
from sandbox.ecs.agent import EcsAgent
from sandbox.inventory import Inventory
from sandbox.world import AwsCredentials

_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)


class Clock:
    """Unix seconds that a test moves."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@dataclass
class Aws:
    """The server, its agent (which steps only on request), and both accounts."""

    url: str
    agent: EcsAgent
    inventory: Inventory
    sessions: dict[str, AwsCredentials]
    clock: Clock

    def client(self, service: str, environment: str = "staging") -> Any:
        session = self.sessions[environment]
        return self.client_of(
            service, session.access_key_id, session.secret_access_key, session.session_token, environment
        )

    def client_of(
        self, service: str, key: str, secret: str, token: str | None, environment: str = "staging"
    ) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=self.inventory.by_name[environment].region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=_CONFIG,
        )

    def sign_in(self, monkeypatch: pytest.MonkeyPatch, environment: str = "staging") -> None:
        """Let this process act as the deployer of an environment."""
        session = self.sessions[environment]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", session.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", session.secret_access_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", session.session_token)

    def enter(self, monkeypatch: pytest.MonkeyPatch, environment: str = "staging") -> Endpoints:
        """Let this process act as that deployer in sandbox mode."""
        self.sign_in(monkeypatch, environment)
        overlay = ("AWS_ENDPOINT_URL", "MONGODB_ATLAS_BASE_URL", "ATLAS_ACCESS_SMOKE_URL", "GITHUB_API_URL")
        variables = dict.fromkeys((*overlay, "ATLAS_ACCESS_CONTACTS_URL"), self.url)
        variables |= {"ATLAS_ACCESS_SANDBOX": "1", "ATLAS_ACCESS_SANDBOX_DIR": ""}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Endpoints.from_environment(variables)

    def service(self, environment: str = "staging") -> dict[str, Any]:
        names = {"cluster": f"askflorence-{environment}", "services": [f"askflorence-{environment}-app"]}
        return self.client("ecs", environment).describe_services(**names)["services"][0]

    def update(self, environment: str = "staging", **changes: Any) -> dict[str, Any]:
        names = {"cluster": f"askflorence-{environment}", "service": f"askflorence-{environment}-app"}
        return self.client("ecs", environment).update_service(**names, **changes)["service"]

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.agent.step()

    def unreadable(self) -> str:
        """A revision bound to a secret that the execution role is not granted."""
        store = self.client("secretsmanager")
        arn = store.create_secret(Name="staging/other", SecretString="x")["ARN"]
        return self.register(lambda each: each["secrets"].append({"name": "OTHER", "valueFrom": arn}))

    def missing_version(self) -> str:
        """A revision bound to a version that is not there."""

        def pin(container: dict[str, Any]) -> None:
            container["secrets"][0]["valueFrom"] += ":::00000000-0000-0000-0000-000000000000"

        return self.register(pin)

    def foreign_key(self, name: str = "staging/mongodb/app-read") -> None:
        """Encrypt a secret with a key that no role may use."""
        key = self.client("kms").create_key()["KeyMetadata"]["Arn"]
        self.client("secretsmanager").update_secret(SecretId=name, KmsKeyId=key)

    def disable_key(self) -> None:
        kms = self.client("kms")
        kms.disable_key(KeyId=kms.describe_key(KeyId="alias/askflorence-staging")["KeyMetadata"]["KeyId"])

    def log(self, group: str, *messages: str, after_ms: int = 0) -> None:
        """Write lines into a new stream of a log group."""
        logs, now = self.client("logs"), int(time.time() * 1000) + after_ms
        named = {"logGroupName": group, "logStreamName": secrets.token_hex(6)}
        logs.create_log_stream(**named)
        logs.put_log_events(**named, logEvents=[{"timestamp": now, "message": line} for line in messages])

    def register(self, change: Callable[[dict[str, Any]], None] = lambda _: None) -> str:
        """Register the runtime family's latest revision again, changed, and return the ARN."""
        ecs = self.client("ecs")
        latest = ecs.describe_task_definition(taskDefinition="askflorence-staging-app")["taskDefinition"]
        kept = {"family", "containerDefinitions", "volumes", "networkMode", "requiresCompatibilities", "cpu"}
        kept |= {"memory", "taskRoleArn", "executionRoleArn", "runtimePlatform"}
        asked = {key: latest[key] for key in kept}
        change(asked["containerDefinitions"][0])
        return ecs.register_task_definition(**asked)["taskDefinition"]["taskDefinitionArn"]

    def account(self, environment: str = "staging") -> str:
        return self.inventory.by_name[environment].account

    def role(self, environment: str = "staging", family: str = "app") -> str:
        name = f"askflorence-{environment}-{family}-execution"
        return f"arn:aws:iam::{self.account(environment)}:role/{name}"

    def secret_arn(self, name: str, environment: str = "staging") -> str:
        return self.client("secretsmanager", environment).describe_secret(SecretId=name)["ARN"]


def own_accounts() -> Inventory:
    """The inventory in accounts of its own, since moto's data belongs to the whole process."""
    inventory = Inventory.load()
    moved = tuple(
        environment.model_copy(update={"account": f"{secrets.randbelow(10**12):012d}"})
        for environment in inventory.environments
    )
    return inventory.model_copy(update={"environments": moved})


@pytest.fixture
def aws() -> Iterator[Aws]:
    inventory, clock = own_accounts(), Clock()
    agent = EcsAgent(step_seconds=0.001)
    server = AwsServer(agent, clock)
    url = server.start()
    sessions = {}
    for environment in inventory.by_name:
        values = {s.name: f"mongodb://{u.name}@localhost/x" for u, s in inventory.secrets_in(environment)}
        sessions[environment] = build_account(inventory, environment, values, agent)
    for _ in range(3):
        agent.step()
    yield Aws(url, agent, inventory, sessions, clock)
    server.stop()
