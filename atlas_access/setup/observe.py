"""Asks everything that a first update depends on. Changes nothing; what cannot be asked is unknown, never good."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from atlas_access.base import (
    Address,
    AddressMissing,
    ConnectionInvalid,
    ConnectionString,
    EndpointRefused,
    Endpoints,
    Finding,
    ManifestInvalid,
    Settings,
    Status,
    What,
)
from atlas_access.clients import (
    DEPLOYER,
    SOAK_ACCOUNT,
    SOAK_KEY,
    Atlas,
    AtlasUnread,
    AwsUnavailable,
    CredentialsMissing,
    GitHub,
    ObservedCluster,
    Retry,
    Server,
    ServerUnusable,
    ServiceError,
    client,
    describe_service,
    server_time,
    sign_in_from,
    wrong_account,
)
from atlas_access.guards import judge_directory
from atlas_access.manifest import Manifest
from atlas_access.retirement import baseline_captured
from atlas_access.rollout import alarm_names, unsupported
from atlas_access.setup.judge import judge_clock, judge_credentials, judge_version, unset
from atlas_access.setup.local import backend, browser, pulumi_cli, python_version, secrets_provider
from atlas_access.setup.observe_rights import resources_of, simulated
from atlas_access.setup.rights import judge_rights, rights
from atlas_access.smoke import load_smoke

_ATLAS_SECONDS = 15.0
_SERVER_SECONDS = 5.0
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "InvalidClientTokenId", "ExpiredToken")
_SIGN_IN = "Sign in to the stack's own account (AWS_PROFILE or AWS_*)."
_REACH = "Let this machine's address into the project's IP access list, and check name server and firewall."
_PRIVATE = "Run where the private endpoint can be reached, or set atlas-access:proofTaskFamily."


@dataclass(frozen=True)
class Setup:
    """A stack, what it declares, and the environment variables of this process."""

    stack: str
    manifest: Manifest
    settings: Mapping[str, Settings]
    endpoints: Endpoints
    folder: Path
    environment: Mapping[str, str]

    @property
    def own(self) -> Settings:
        """The stack's settings."""
        return self.settings[self.stack]

    @cached_property
    def account(self) -> str:
        """Why the credentials at hand say nothing of the stack. Raises `AwsUnavailable`."""
        return wrong_account(self.stack, self.own.aws_account_id, self.own.aws_region, self.endpoints)

    @cached_property
    def cluster(self) -> ObservedCluster:
        """The stack's own cluster. Raises `AtlasUnread`, `CredentialsMissing`."""
        with self.atlas(self.own) as atlas:
            return atlas.cluster(self.own.atlas_cluster)

    def atlas(self, settings: Settings) -> Atlas:
        """A client of an environment's project, as the update or the soak signs in. Raises `CredentialsMissing`."""
        own = settings.atlas_project_id == self.own.atlas_project_id
        sign_in = sign_in_from(self.environment, DEPLOYER if own else (SOAK_ACCOUNT, SOAK_KEY))
        return Atlas(settings.atlas_project_id, sign_in, self.endpoints, Retry(_ATLAS_SECONDS))


Check = Callable[[Setup], Iterator[Finding]]


def checks(setup: Setup, agreement: Callable[[], Finding]) -> tuple[Finding, ...]:
    """Every line, in the order of the screen; `agreement` compares manifest and law."""
    here: tuple[Check, ...] = (_tools, _aws, _rights, _atlas, _version, _propagation, _network)
    there: tuple[Check, ...] = (_declared, _baseline, _terraform, _deployment, _gates, _github, _clock)

    def law(_: Setup) -> Iterator[Finding]:
        yield agreement()

    with ThreadPoolExecutor(max_workers=8) as pool:
        found = pool.map(lambda check: _asked(check, setup), (*here, law, *there))
        return tuple(line for lines in found for line in lines)


def _asked(check: Check, setup: Setup) -> list[Finding]:
    """The lines of one check; a service that gives no answer makes it unknown."""
    name = check.__name__.removeprefix("_").replace("_", " ")
    try:
        return list(check(setup))
    except CredentialsMissing as error:
        remedy = "Set both variables; docs/permissions.md names the role."
        return [Finding(Status.BAD if name == "atlas" else Status.UNKNOWN, _NAMES[name], str(error), remedy)]
    except ServiceError as error:
        return [Finding(Status.UNKNOWN, _NAMES[name], str(error), _REMEDIES.get(error.service, ""))]
    except EndpointRefused as error:
        return [Finding(Status.UNKNOWN, _NAMES[name], str(error))]


_NAMES = {
    "tools": "tools",
    "aws": "AWS credentials",
    "rights": "rights",
    "atlas": "Atlas credentials",
    "version": "server version",
    "propagation": "propagation",
    "network": "network",
    "law": "manifest and law",
    "declared": "placeholders",
    "baseline": "baseline",
    "terraform": "Terraform",
    "deployment": "deployment strategy",
    "gates": "browser",
    "github": "GitHub",
    "clock": "clock",
}
_REMEDIES = {
    "AWS": _SIGN_IN,
    "Atlas": "Check the key, its access list and atlas-access:atlasProjectId.",
    "GitHub": "Check GITHUB_TOKEN and atlas-access:githubRepository.",
}


def _tools(setup: Setup) -> Iterator[Finding]:
    yield python_version()
    cli = pulumi_cli(setup.environment, sandbox=setup.endpoints.sandbox)
    yield cli.finding
    found = backend(cli.path, setup.environment, setup.folder, sandbox=setup.endpoints.sandbox)
    yield found
    yield secrets_provider(setup.stack, setup.folder, setup.environment, found)


def _aws(setup: Setup) -> Iterator[Finding]:
    name = _NAMES["aws"]
    try:
        elsewhere = setup.account
    except AwsUnavailable as error:
        status = Status.BAD if error.code in _NO_CREDENTIALS else Status.UNKNOWN
        yield Finding(status, name, str(error), _SIGN_IN)
        return
    if elsewhere:
        yield Finding(Status.BAD, name, elsewhere, _SIGN_IN)
    else:
        yield Finding(Status.GOOD, name, f"account {setup.own.aws_account_id}, {setup.own.aws_region}")


def _rights(setup: Setup) -> Iterator[Finding]:
    if setup.account:
        yield Finding(Status.UNKNOWN, "rights", f"not asked: {setup.account}", _SIGN_IN)
        return
    try:
        smoke = load_smoke((setup.folder / "smoke.yaml").read_bytes())
        mail = smoke.waitlist.mail_log_group.replace("{env}", setup.stack)
    except (OSError, ManifestInvalid):
        mail = ""
    alarms = alarm_names(setup.stack, setup.folder)
    own, needed = setup.own, rights()
    on = resources_of(setup.stack, setup.manifest, setup.settings, setup.endpoints, alarms, mail)
    decisions, why = simulated(needed, on, own.aws_region, setup.endpoints)
    yield from judge_rights(needed, on, decisions, why)


def _atlas(setup: Setup) -> Iterator[Finding]:
    with setup.atlas(setup.own) as atlas:
        yield from judge_credentials(atlas.credentials(), setup.own.atlas_project_id, time.time())


def _version(setup: Setup) -> Iterator[Finding]:
    yield judge_version(setup.cluster.version)


def _propagation(setup: Setup) -> Iterator[Finding]:
    with setup.atlas(setup.own) as atlas:
        applied = atlas.applied(setup.own.atlas_cluster)
    if applied:
        yield Finding(Status.GOOD, "propagation", "the cluster has applied every change of users and roles")
    else:
        message = "the cluster has not applied every change of users and roles yet"
        yield Finding(Status.UNKNOWN, "propagation", message, "Ask again in a minute.")


def _network(setup: Setup) -> Iterator[Finding]:
    wanted = dict.fromkeys(
        (each.cluster, each.address) for each in setup.manifest.credentials_for(setup.stack)
    )
    for environment, address in wanted:
        subject = f"network, {address} address of {environment}"
        try:
            yield _reached(setup, environment, address, subject)
        except (ServiceError, CredentialsMissing, AddressMissing, EndpointRefused) as error:
            yield Finding(Status.UNKNOWN, subject, str(error), _REACH)
        except (ConnectionInvalid, ServerUnusable) as error:
            yield Finding(Status.UNKNOWN, subject, str(error), _REACH)


def _reached(setup: Setup, environment: str, address: Address, subject: str) -> Finding:
    settings = setup.settings[environment]
    if environment == setup.stack:
        cluster = setup.cluster
    else:
        with setup.atlas(settings) as atlas:
            cluster = atlas.cluster(settings.atlas_cluster)
    if cluster.addresses is None:
        raise AtlasUnread(f"cluster {cluster.name}", "Atlas names no address of it")
    form = setup.own.with_address_form(setup.endpoints.address_form).address_form
    connection = ConnectionString.parse(cluster.addresses.base(address, form))
    with Server(connection, setup.endpoints, wait_seconds=_SERVER_SECONDS) as server:
        answer = server.command("admin", {"hello": 1}).answer
    if answer.ok:
        return Finding(Status.GOOD, subject, "the server answers")
    why = answer.failure or f"the server answered {answer.code_name or answer.code}"
    return Finding(Status.UNKNOWN, subject, str(why), _REACH if address is Address.PUBLIC else _PRIVATE)


def _declared(setup: Setup) -> Iterator[Finding]:
    yield unset(setup.stack, setup.own.placeholders, sandbox=setup.endpoints.sandbox)


def _baseline(setup: Setup) -> Iterator[Finding]:
    fact = baseline_captured(setup.stack, setup.own, setup.folder)
    status = {True: Status.GOOD, False: Status.BAD, None: Status.UNKNOWN}[fact.holds]
    command = "atlas-access sandbox baseline" if setup.endpoints.sandbox else "atlas-access baseline capture"
    yield Finding(status, "baseline", fact.evidence, "" if fact.holds else f"{command} {setup.stack}")


def _terraform(setup: Setup) -> Iterator[Finding]:
    own = setup.own
    found = Finding(Status.UNKNOWN, "Terraform", "no atlas-access:terraformDirectory is set", _TERRAFORM)
    if own.terraform_directory:
        read = judge_directory(setup.folder / own.terraform_directory, own.ecs_service)
        found = Finding(read.status, "Terraform", read.text, read.remedy)
    stated = own.acknowledged(What.TERRAFORM_RELEASED)
    if stated is not None and found.status is not Status.BAD:
        message = f"{stated.by} stated on {stated.at:%Y-%m-%d} that it ignores the task definition"
        found = Finding(Status.GOOD, "Terraform", message)
    yield found


_TERRAFORM = "Name its folder there, or state terraform-released in atlas-access:acknowledged."


def _deployment(setup: Setup) -> Iterator[Finding]:
    name, own = _NAMES["deployment"], setup.own
    if setup.account:
        yield Finding(Status.UNKNOWN, name, f"not asked: {setup.account}", _SIGN_IN)
        return
    service = describe_service(
        client("ecs", own.aws_region, setup.endpoints), own.ecs_cluster, own.ecs_service
    )
    if service is None or service.get("status") == "INACTIVE":
        message = f"{own.ecs_cluster} has no active service {own.ecs_service}"
        yield Finding(Status.BAD, name, message, "Set atlas-access:ecsCluster and ecsService.")
    elif against := unsupported(service):
        found, _, remedy = against.partition(": ")
        yield Finding(Status.BAD, name, found, f"{remedy[:1].upper()}{remedy[1:]}.")
    else:
        yield Finding(Status.GOOD, name, f"{own.ecs_service} is deployed by ECS, ROLLING")


def _gates(setup: Setup) -> Iterator[Finding]:
    yield browser(setup.environment, sandbox=setup.endpoints.sandbox)


def _github(setup: Setup) -> Iterator[Finding]:
    repository = setup.own.github_repository
    token = next(
        (setup.environment[each] for each in ("GITHUB_TOKEN", "GH_TOKEN") if setup.environment.get(each)), ""
    )
    if not repository:
        yield Finding(
            Status.GOOD, "GitHub", "no atlas-access:githubRepository is set: no incident issue is kept"
        )
    elif not token:
        remedy = "Set GITHUB_TOKEN, with the permission issues: write."
        yield Finding(Status.BAD, "GitHub", f"no token for {repository} is set", remedy)
    else:
        with GitHub(repository, token, setup.endpoints, Retry(_ATLAS_SECONDS)) as tracker:
            tracker.issues("atlas-access")
        message = f"the token reads the issues of {repository}; whether it may write them shows only a write"
        yield Finding(Status.UNKNOWN, "GitHub", message, "Give it the permission issues: write.")


def _clock(setup: Setup) -> Iterator[Finding]:
    yield judge_clock(time.time() - server_time(setup.own.aws_region, setup.endpoints))
