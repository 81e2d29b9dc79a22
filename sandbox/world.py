"""A running sandbox as a frozen record of its files on disk, and the environment variables of its stacks."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import requests

from atlas_access.clients import SOAK_KEY

VERSION = 2
ENVIRONMENTS = ("staging", "prod")
PASSED_ON = ("ATLAS_ACCESS_POLICY_UNKNOWN", "CHROMIUM")
"""Variables passed from the shell to the policy pack, which they make stricter, and to the gates: their browser."""

_LOOPBACK = "127.0.0.1,127.0.0.2,localhost,127.0.0.0/8,::1"
_ADDRESSES = ("atlas_url", "aws_url", "control_url", "private_address")
START = "start one with `atlas-access sandbox up`"


class SandboxError(Exception):
    """A problem of the sandbox that a user can fix: one line that ends with the remedy."""


@dataclass(frozen=True)
class Options:
    """How a sandbox is started. Times in seconds; `base_port` 0 takes free ports, else it takes the 8 from there.

    With `service` tasks are processes behind a balanced address; without, deployments are only recorded. `seed` decides
    which answers of Atlas and AWS are slow, dropped or refused (0 chooses one). An `easy` world has none of that, plain
    collections, idle clusters, and secrets of one version.
    """

    base_port: int = 0
    keep: bool = False
    propagation_seconds: float = 1.0
    ecs_step_seconds: float = 0.1
    service: bool = False
    easy: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Mongod:
    """One replica set: its address, and `root_uri`, which is a secret."""

    host: str
    port: int
    replica_set: str
    root_uri: str = field(repr=False, default="")

    @property
    def address(self) -> str:
        """Host and port, as a driver is given them."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class AwsCredentials:
    """Temporary credentials of a deployer's role in one account."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


@dataclass(frozen=True)
class AtlasKey:
    """Both ways to sign in to one Atlas project: a programmatic key and a service account."""

    public: str
    private: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Environment:
    """One environment of the sandbox."""

    name: str
    project_id: str
    cluster: str
    account: str
    region: str
    mongod: Mongod
    atlas: AtlasKey
    aws: AwsCredentials
    provider_ports: Mapping[str, int] = field(default_factory=dict)
    service_url: str = ""


@dataclass(frozen=True)
class World:
    """The handle of a running sandbox. Every path below `directory`, every address on loopback."""

    directory: Path
    options: Options
    atlas_url: str
    aws_url: str
    control_url: str
    private_address: str
    environments: Mapping[str, Environment]
    passphrase: str = field(repr=False)
    control_token: str = field(repr=False)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the sandbox of a directory. Raises `SandboxError` when there is none, or not one of this version."""
        path = directory / "sandbox.json"
        try:
            facts = json.loads(path.read_text())
            keys = json.loads((directory / "keys.json").read_text())
        except FileNotFoundError:
            raise SandboxError(f"no sandbox runs in {directory}: {START}") from None
        except (OSError, ValueError) as error:
            raise SandboxError(
                f"{path} cannot be read ({type(error).__name__}): `atlas-access sandbox reset` starts anew"
            ) from None
        try:
            if facts["version"] == VERSION:
                return cls._from_documents(directory.resolve(), facts, keys)
        except (KeyError, TypeError, AttributeError):
            pass
        raise SandboxError(
            f"{path} is not of this version of the program: `atlas-access sandbox reset` starts anew"
        )

    @classmethod
    def _from_documents(cls, directory: Path, facts: dict[str, Any], keys: dict[str, Any]) -> Self:
        environments = {}
        for name, entry in facts["environments"].items():
            key = keys["environments"][name]
            environments[name] = Environment(
                **entry
                | {
                    "mongod": Mongod(**entry["mongod"], root_uri=key["mongod"]),
                    "atlas": AtlasKey(**key["atlas"]),
                    "aws": AwsCredentials(**key["aws"]),
                }
            )
        return cls(
            directory=directory,
            options=Options(**facts["options"]),
            environments=environments,
            passphrase=keys["passphrase"],
            control_token=keys["control_token"],
            **{key: facts[key] for key in _ADDRESSES},
        )

    def save(self) -> None:
        """Write both files, the readable facts apart from the keys, each readable by the owner alone."""
        facts: dict[str, Any] = {"version": VERSION, "options": asdict(self.options), "environments": {}}
        facts |= {key: getattr(self, key) for key in _ADDRESSES}
        keys: dict[str, Any] = {"environments": {}}
        for name, environment in self.environments.items():
            entry = asdict(environment)
            mongod = entry["mongod"]
            keys["environments"][name] = {
                "mongod": mongod.pop("root_uri"),
                "atlas": entry.pop("atlas"),
                "aws": entry.pop("aws"),
            }
            facts["environments"][name] = entry
        keys |= {"passphrase": self.passphrase, "control_token": self.control_token}
        write_private(self.directory / "keys.json", json.dumps(keys, indent=1))
        write_private(self.directory / "sandbox.json", json.dumps(facts, indent=1))

    def of(self, stack: str) -> Environment:
        """Return the environment of a stack. Raises `SandboxError` for another name."""
        try:
            return self.environments[stack]
        except KeyError:
            known = " and ".join(self.environments)
            raise SandboxError(f"the sandbox has no stack {stack!r}: it has {known}") from None

    def state_file(self, stack: str) -> Path:
        """Return where the embedded engine keeps a stack's state."""
        self.of(stack)
        return self.directory / "stacks" / f"{stack}.json"

    def secrets(self) -> tuple[str, ...]:
        """Every secret value of the sandbox's own, for redaction."""
        values = [self.passphrase, self.control_token]
        for environment in self.environments.values():
            root = environment.mongod.root_uri.split("@")[0].rpartition(":")[2]
            values += [root, environment.atlas.private, environment.atlas.client_secret]
            values += [environment.aws.secret_access_key, environment.aws.session_token]
        return tuple(value for value in values if value)

    def environment(self, stack: str) -> dict[str, str]:
        """All the variables to work on one stack; a shell's own cloud settings cannot leak in beside them."""
        here = self.of(stack)
        variables = {
            **overlay(self.atlas_url, self.aws_url, self.control_url, stack, here.region, here.service_url),
            "ATLAS_ACCESS_SANDBOX_DIR": str(self.directory),
            "AWS_ACCESS_KEY_ID": here.aws.access_key_id,
            "AWS_SECRET_ACCESS_KEY": here.aws.secret_access_key,
            "AWS_SESSION_TOKEN": here.aws.session_token,
            "MONGODB_ATLAS_PUBLIC_API_KEY": here.atlas.public,
            "MONGODB_ATLAS_PRIVATE_API_KEY": here.atlas.private,
            "MONGODB_ATLAS_PUBLIC_KEY": here.atlas.public,
            "MONGODB_ATLAS_PRIVATE_KEY": here.atlas.private,
            **{
                name: value
                for before in self.environments.values()
                if before.name != stack
                for name, value in zip(SOAK_KEY, (before.atlas.public, before.atlas.private), strict=True)
            },
            "PULUMI_BACKEND_URL": f"file://{self.directory / 'pulumi'}",
            "PULUMI_CONFIG_PASSPHRASE": self.passphrase,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        if here.provider_ports:
            pairs = (f"{name}:{port}" for name, port in here.provider_ports.items())
            variables["PULUMI_DEBUG_PROVIDERS"] = ",".join(pairs)
        return variables

    def private_endpoint(self, *, open_: bool) -> None:
        """Cut staging's private endpoint (connections are refused, those open are dropped), or restore it."""
        session = requests.Session()
        session.trust_env = False
        try:
            answer = session.post(
                f"{self.control_url}/control/private-endpoint",
                json={"open": open_},
                headers={"Authorization": f"Bearer {self.control_token}"},
                timeout=10,
            )
        except requests.RequestException:
            raise SandboxError(
                "the sandbox's supervisor does not answer: `atlas-access sandbox status` says what is dead"
            ) from None
        if not answer.ok:
            raise SandboxError(f"the sandbox refused private-endpoint: {answer.text.strip()}")


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """What of a shell's environment reaches the program and the policy pack."""
    return {name: environment[name] for name in PASSED_ON if name in environment}


def write_private(path: Path, text: str) -> None:
    """Write a file whole, for its owner alone: a reader sees the old content or the new one, never a part."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    Path(name).replace(path)


def overlay(atlas: str, aws: str, control: str, stack: str, region: str, service_url: str) -> dict[str, str]:
    """Return the variables of a stack. Shared AWS files and instance metadata are off; loopback bypasses proxies."""
    return {
        "ATLAS_ACCESS_SANDBOX": "1",
        "ATLAS_ACCESS_ADDRESS_FORM": "standard",
        "ATLAS_ACCESS_SMOKE_URL": service_url or f"{control}/smoke/{stack}",
        "ATLAS_ACCESS_CONTACTS_URL": f"{control}/hubspot",
        "ATLAS_ACCESS_BALANCED_URL": f"{control}/balanced/{stack}",
        "ATLAS_ACCESS_MAIL_URL": f"{control}/mail/{stack}",
        "GITHUB_API_URL": f"{control}/github",
        "AWS_ENDPOINT_URL": aws,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "MONGODB_ATLAS_BASE_URL": atlas.rstrip("/") + "/",
        "NO_PROXY": _LOOPBACK,
        "no_proxy": _LOOPBACK,
    }
