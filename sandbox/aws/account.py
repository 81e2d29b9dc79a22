"""Creates an environment's account on moto's backends: keys, secrets, roles, task definitions and the service."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from uuid import uuid4

from moto.ec2 import ec2_backends
from moto.ecs.models import ecs_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ses.models import ses_backends
from moto.sts.models import sts_backends

from sandbox.aws.ecs import settle_service
from sandbox.ecs.agent import EcsAgent
from sandbox.inventory import Consumer, Inventory, InventoryEnvironment
from sandbox.world import AwsCredentials

DEPLOYER = "atlas-access-deployer"
OBSERVER = "atlas-access-observer"
_LOOKS = [
    *("ecs:Describe*", "ecs:List*", "logs:FilterLogEvents"),
    *("events:List*", "scheduler:List*", "scheduler:Get*"),
]
_SESSION_SECONDS = 43200
_PORT = 3000
_YEAR = 365 * 86400


@dataclass(frozen=True)
class _Account:
    inventory: Inventory
    here: InventoryEnvironment
    key_arn: str
    secret_arns: Mapping[str, str]

    def named(self, template: str) -> str:
        return template.replace("{env}", self.here.name)

    @property
    def log_group(self) -> str:
        return f"/ecs/{self.named(self.inventory.ecs.service)}"


def build_account(
    inventory: Inventory,
    environment: str,
    connection_strings: Mapping[str, str],
    agent: EcsAgent,
    *,
    easy: bool = False,
) -> AwsCredentials:
    """Make one environment's account and return the deployer's credentials in it.

    `connection_strings` are the values of the Mongo secrets, by secret name. The service is in its first
    deployment afterwards: let the agent step until it is complete. Each secret was changed twice before, unless the
    world is `easy`: its oldest version bears no label any more.
    """
    here = inventory.by_name[environment]
    key_arn = _key(here)
    values = dict(connection_strings)
    values[inventory.ecs.other_secret.name.replace("{env}", environment)] = token_hex(16)
    store = secretsmanager_backends[here.account][here.region]
    arns = {}
    for name, value in values.items():
        store.create_secret(
            name=name,
            secret_string=value,
            secret_binary=None,
            description="",
            tags=[],
            kms_key_id=key_arn,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        secret = store.secrets[name]
        arns[name] = secret.arn
        if not easy:
            older: tuple[tuple[str, list[str]], ...] = ((str(uuid4()), []), (str(uuid4()), ["AWSPREVIOUS"]))
            secret.versions = {key: _earlier(key, labels) for key, labels in older} | secret.versions
    account = _Account(inventory, here, key_arn, arns)
    logs_backends[here.account][here.region].create_log_group(account.log_group, {})
    ses_backends[here.account][here.region].verify_domain(inventory.ecs.mail_identity)
    _roles(account)
    _families(account)
    _service(account, agent)
    return _session(here)


def _earlier(version: str, labels: list[str]) -> dict[str, Any]:
    """A version of a secret whose value works no more."""
    value, moment = f"mongodb://former:{token_hex(16)}@127.0.0.1:1/askflorence", int(time.time()) - _YEAR
    return {"secret_string": value, "createdate": moment, "version_id": version, "version_stages": labels}


def _key(here: InventoryEnvironment) -> str:
    backend = kms_backends[here.account][here.region]
    policy = _policy(_allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{here.account}:root"}))
    key = backend.create_key(policy, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", here.kms_alias, [])
    backend.create_alias(key.id, here.kms_alias)
    return str(key.arn)


def _roles(account: _Account) -> None:
    inventory, here = account.inventory, account.here
    tasks = {"Service": "ecs-tasks.amazonaws.com"}
    families: dict[Consumer, str] = {
        "service": inventory.ecs.runtime_family,
        "schema_task": inventory.ecs.schema_family,
    }
    for consumer, family in families.items():
        arns = list(_bindings(account, consumer).values())
        name = account.named(family)
        _role(here, f"{name}-execution", tasks, {"read-secrets": _execution_policy(account, arns)})
    mail = _policy(_allow("ses:SendEmail", f"arn:aws:ses:{here.region}:{here.account}:identity/*"))
    _role(here, f"{account.named(inventory.ecs.runtime_family)}-task", tasks, {"send-mail": mail})
    root = {"AWS": f"arn:aws:iam::{here.account}:root"}
    _role(here, DEPLOYER, root, {"all": _policy(_allow("*", "*"))})
    others = [f"arn:aws:iam::{each.account}:root" for each in inventory.environments if each != here]
    first = {"sign-up": _sign_up_policy(account)} if here == inventory.environments[0] else {}
    _role(here, OBSERVER, {"AWS": others}, {"look": _policy(_allow(_LOOKS, "*")), **first})


def _sign_up_policy(account: _Account) -> str:
    """What gate 8 reads where it is asked from the next environment: the writer's connection and the contact token."""
    here, other = account.here, account.named(account.inventory.ecs.other_secret.name)
    writer = f"arn:aws:secretsmanager:{here.region}:{here.account}:secret:{here.name}/mongodb/app-write-v2-*"
    reads = [writer, account.secret_arns[other]]
    return _policy(_allow("secretsmanager:GetSecretValue", *reads), _allow("kms:Decrypt", account.key_arn))


def _execution_policy(account: _Account, secret_arns: list[str]) -> str:
    log_group = f"arn:aws:logs:{account.here.region}:{account.here.account}:log-group:{account.log_group}:*"
    return _policy(
        _allow("secretsmanager:GetSecretValue", *secret_arns),
        _allow("kms:Decrypt", account.key_arn),
        _allow(["logs:CreateLogStream", "logs:PutLogEvents"], log_group),
    )


def _families(account: _Account) -> None:
    ecs = account.inventory.ecs
    for number in range(1, account.here.running_revision + 1):
        _register(account, "service", ecs.runtime_family, f"{ecs.image}:2026.5.{number}", [])
    schema = ["node", "scripts/db/ensure-indexes.js"]
    image = f"{ecs.image}:2026.5.{account.here.running_revision}"
    _register(account, "schema_task", ecs.schema_family, image, schema)


def _register(account: _Account, consumer: Consumer, family: str, image: str, command: list[str]) -> None:
    here, name = account.here, account.named(family)
    environment = account.inventory.ecs.environment
    container: dict[str, Any] = {
        "name": "app",
        "image": image,
        "essential": True,
        "environment": [{"name": k, "value": account.named(v)} for k, v in environment.items()],
        "secrets": [{"name": k, "valueFrom": v} for k, v in _bindings(account, consumer).items()],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": account.log_group,
                "awslogs-region": here.region,
                "awslogs-stream-prefix": consumer,
            },
        },
    }
    if command:
        container["command"] = command
    else:
        check = f"wget -q -O /dev/null http://localhost:{_PORT}/api/health || exit 1"
        container["portMappings"] = [{"containerPort": _PORT, "hostPort": _PORT, "protocol": "tcp"}]
        container["healthCheck"] = {
            "command": ["CMD-SHELL", check],
            "interval": 30,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 10,
        }
    iam = f"arn:aws:iam::{here.account}:role"
    ecs_backends[here.account][here.region].register_task_definition(
        family=name,
        container_definitions=[container],
        volumes=[],
        network_mode="awsvpc",
        tags=[{"key": "managed-by", "value": "terraform"}],
        requires_compatibilities=["FARGATE"],
        cpu="512",
        memory="1024",
        task_role_arn=f"{iam}/{account.named(account.inventory.ecs.runtime_family)}-task",
        execution_role_arn=f"{iam}/{name}-execution",
        runtime_platform={"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    )


def _service(account: _Account, agent: EcsAgent) -> None:
    here, ecs = account.here, account.inventory.ecs
    backend = ecs_backends[here.account][here.region]
    cluster = account.named(ecs.cluster)
    backend.create_cluster(cluster)
    network = ec2_backends[here.account][here.region]
    subnets = sorted(subnet.id for subnet in network.describe_subnets())[:2]
    groups = [group.id for group in network.describe_security_groups()][:1]
    service = backend.create_service(
        cluster_str=cluster,
        service_name=account.named(ecs.service),
        desired_count=ecs.desired_count,
        task_definition_str=f"{account.named(ecs.runtime_family)}:{here.running_revision}",
        launch_type="FARGATE",
        platform_version="LATEST",
        tags=[{"key": "managed-by", "value": "terraform"}],
        network_configuration={
            "awsvpcConfiguration": {
                "subnets": subnets,
                "securityGroups": groups,
                "assignPublicIp": "DISABLED",
            }
        },
    )
    settle_service(service, {"deploymentCircuitBreaker": ecs.circuit_breaker.model_dump()})
    agent.created(service)


def _session(here: InventoryEnvironment) -> AwsCredentials:
    role = sts_backends[here.account]["aws"].assume_role(
        region_name=here.region,
        role_session_name="sandbox",
        role_arn=f"arn:aws:iam::{here.account}:role/{DEPLOYER}",
        policy=None,
        duration=_SESSION_SECONDS,
        external_id=None,
    )
    return AwsCredentials(role.access_key_id, role.secret_access_key, role.session_token)


def _bindings(account: _Account, consumer: Consumer) -> dict[str, str]:
    """Return the secret's ARN by variable, for one consumer."""
    mongo = account.inventory.secrets_in(account.here.name)
    found = {s.variable: account.secret_arns[s.name] for _, s in mongo if s.consumer == consumer}
    if consumer == "service":
        other = account.inventory.ecs.other_secret
        found[other.variable] = account.secret_arns[account.named(other.name)]
    return found


def _role(
    here: InventoryEnvironment, name: str, principal: Mapping[str, object], policies: dict[str, str]
) -> None:
    backend = iam_backends[here.account]["aws"]
    trust = _policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    backend.create_role(name, trust, "/", None, "", [], "3600")
    for policy, document in policies.items():
        backend.put_role_policy(name, policy, document)


def _policy(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(actions: str | list[str], *resources: str, **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}
