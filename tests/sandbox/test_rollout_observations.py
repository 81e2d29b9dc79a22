"""What a pre-flight sees on the sandbox's AWS: unreadable secrets, and whether the stack before has soaked."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from aws_fixture import Aws
from moto.secretsmanager.models import secretsmanager_backends

from atlas_access.base import SecretReference
from atlas_access.base.clock import Clock
from atlas_access.base.endpoints import Endpoints
from atlas_access.base.settings import Settings, check_settings
from atlas_access.clients import MADE_HERE, AwsUnavailable, alarms_now, client, stored_secret
from atlas_access.clients.alarms import NO_DATA
from atlas_access.clients.other_account import AccountTarget, session_in
from atlas_access.rollout.observe_soak import Preceding, observed
from atlas_access.rollout.readable import Readability
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.rollback import RollbackRefused, roll_back
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_log import errors_of
from atlas_access.rollout.service_tags import Bound, Lease, ServiceTags
from atlas_access.rollout.soak import ObservedSoak, refusals
from atlas_access.rollout.stack import PROJECT_FOLDER
from atlas_access.rollout.version_labels import label_again, unlabelled
from atlas_access.rollout.way_back import log_in
from atlas_access.rollout.wiring import settle_lease
from components.settings import read_files

CLUSTER, NAME = "askflorence-staging", "askflorence-staging-app"


@pytest.fixture
def endpoints(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Endpoints:
    """Those of this process, which acts as staging's deployer."""
    return aws.enter(monkeypatch)


@pytest.fixture
def of_prod(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Endpoints:
    """Those of this process, which acts as prod's deployer."""
    return aws.enter(monkeypatch, "prod")


@pytest.fixture
def service(aws: Aws) -> Service:
    return Service(aws.client("ecs"), CLUSTER, NAME)


def delete_secret(aws: Aws) -> None:
    aws.client("secretsmanager").delete_secret(SecretId="staging/mongodb/app-read")


def unreadable(endpoints: Endpoints, service: Service, revision: str | None, opened: Any = client) -> Any:
    name = revision or service.observe().revision
    return Readability("us-east-1", endpoints, opened).refusals(name, service.definition(name))


def test_what_runs_is_readable(endpoints: Endpoints, service: Service) -> None:
    assert () == unreadable(endpoints, service, None)


@pytest.mark.parametrize(
    ("change", "which", "reason"),
    [
        (Aws.unreadable, all, f"{NAME}-execution may not secretsmanager:GetSecretValue for OTHER"),
        (Aws.foreign_key, any, "may not kms:Decrypt"),
        (Aws.disable_key, all, "its key is Disabled"),
        (delete_secret, any, "marked for deletion"),
        (Aws.missing_version, any, "version 00000000-0000-0000-0000-000000000000 is not there"),
    ],
)
def test_a_secret_that_the_role_cannot_read_is_named(
    aws: Aws, endpoints: Endpoints, service: Service, change: Any, which: Any, reason: str
) -> None:
    reasons = unreadable(endpoints, service, change(aws))
    assert reasons
    assert which(reason in each for each in reasons)


def test_where_iam_does_not_simulate_and_the_role_is_closed_the_answer_is_unknown(
    endpoints: Endpoints, service: Service
) -> None:
    """The caller's own identity could read it; that is no answer."""

    class Closed:
        def simulate_principal_policy(self, **_: Any) -> Any:
            raise AwsUnavailable("simulating", "AccessDenied")

    def opened(service: str, region: str, endpoints: Endpoints, **given: Any) -> Any:
        return Closed() if service == "iam" else client(service, region, endpoints, **given)

    (reason,) = unreadable(endpoints, service, None, opened)
    assert (
        "is unknown: IAM refuses to simulate it, and the role cannot be taken on (AWS answered AccessDenied"
        in reason
    )


def test_a_secret_that_secrets_manager_rotates_is_named(aws: Aws, endpoints: Endpoints) -> None:
    readability, store = Readability("us-east-1", endpoints), aws.client("secretsmanager")
    arn = store.describe_secret(SecretId="staging/mongodb/app-read")["ARN"]
    assert () == readability.rotated([arn])
    secret = secretsmanager_backends[aws.account()]["us-east-1"].secrets[arn]
    secret.rotation_requested = secret.rotation_enabled = True
    (reason,) = readability.rotated([arn])
    assert reason.startswith("staging/mongodb/app-read: Secrets Manager rotates this secret by itself")


PARAMETERS = "arn:aws:ssm:us-east-1:{account}:parameter"


def from_parameters(aws: Aws) -> str:
    """A revision with two variables from Systems Manager, one by its name alone."""
    other = {"name": "FEATURES", "valueFrom": PARAMETERS.format(account=aws.account()) + "/staging/features"}
    return aws.register(
        lambda container: container["secrets"].extend([other, {"name": "COLOUR", "valueFrom": "/colour"}])
    )


def test_a_parameter_that_the_role_may_not_read_is_named(
    aws: Aws, endpoints: Endpoints, service: Service
) -> None:
    role = f"askflorence-staging-app:8: {NAME}-execution may not ssm:GetParameters for"
    revision = from_parameters(aws)
    assert {
        f"{role} FEATURES (parameter /staging/features): implicitDeny; grant it to the role",
        f"{role} COLOUR (parameter /colour): implicitDeny; grant it to the role",
    } == set(unreadable(endpoints, service, revision))
    allowed = {"Effect": "Allow", "Action": "ssm:GetParameters"}
    allowed["Resource"] = PARAMETERS.format(account=aws.account()) + "/*"
    aws.client("iam").put_role_policy(
        RoleName=f"{NAME}-execution",
        PolicyName="parameters",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    assert () == unreadable(endpoints, service, revision)


def no_connection(aws: Aws) -> str:
    return aws.client("secretsmanager").create_secret(Name="staging/mongodb/x", SecretString="x")["ARN"]


@pytest.mark.parametrize(
    ("named", "version", "dead", "unasked"),
    [
        ("staging/mongodb/app-read", "", "", "the driver refuses the connection string"),
        ("staging/mongodb/app-read", "0" * 32, "the secret or this version of it does not exist", ""),
        ("deleted", "", "the secret is marked for deletion", ""),
        ("no connection", "", "", "not of the form mongodb://"),
    ],
)
def test_only_what_is_gone_or_refused_disqualifies_a_credential(
    aws: Aws, endpoints: Endpoints, named: str, version: str, dead: str, unasked: str
) -> None:
    if named == "deleted":
        delete_secret(aws)
        named = "staging/mongodb/app-read"
    arn = no_connection(aws) if named == "no connection" else named
    found = log_in(SecretReference(arn, version=version), "us-east-1", endpoints)
    assert (dead, bool(unasked)) == (found.dead, bool(found.unasked))
    assert unasked in found.unasked


def preceding(aws: Aws, **changes: Any) -> Preceding:
    before = Preceding(
        stack="staging",
        account=aws.account(),
        region="us-east-1",
        cluster=CLUSTER,
        service=NAME,
        role_arn=f"arn:aws:iam::{aws.account()}:role/atlas-access-observer",
        atlas_project="69e31af12fd2c0aef51bbb41",
        atlas_cluster="askflorence-staging",
        minutes=30,
        logins=False,
    )
    return replace(before, **changes)


def bind(service: Service) -> None:
    state = service.observe()
    service.bind(state.arn, Bound(state.revision, state.revision, time.time()))


def soaked(aws: Aws, endpoints: Endpoints, minutes: float, **changes: Any) -> tuple[str, ...]:
    found = observed(preceding(aws, **changes), aws.account("prod"), endpoints, Clock(minutes * 60))
    return refusals(found, 30) if isinstance(found, ObservedSoak) else (found,)


def test_a_stack_that_is_not_bound_holds_the_next_one_back(aws: Aws, of_prod: Endpoints) -> None:
    (reason,) = soaked(aws, of_prod, 60)
    assert reason.startswith("staging is not bound: askflorence-staging-app:7 runs (2/2)")


def test_a_stack_must_have_soaked_long_enough_and_quietly(
    aws: Aws, of_prod: Endpoints, service: Service
) -> None:
    bind(service)
    (reason,) = soaked(aws, of_prod, 12)
    assert reason.startswith("staging has soaked 12 of 30 minutes")
    assert () == soaked(aws, of_prod, 31)


@pytest.mark.parametrize(
    ("secret", "refused"),
    [
        ("staging/mongodb/app-write-v2", ""),
        ("staging/hubspot/access-token", ""),
        ("staging/mongodb/app-read", "AccessDeniedException"),
    ],
)
def test_prods_deployer_reads_in_staging_what_gate_8_needs_and_no_more(
    aws: Aws, of_prod: Endpoints, secret: str, refused: str
) -> None:
    if secret.endswith("-v2"):
        aws.client("secretsmanager").create_secret(Name=secret, SecretString="x")
    role = f"arn:aws:iam::{aws.account()}:role/atlas-access-observer"
    place = AccountTarget("staging", aws.account(), "us-east-1", CLUSTER, NAME, role)
    store = client("secretsmanager", "us-east-1", of_prod, session=session_in(place, of_prod, "soak"))
    code = ""
    try:
        store.get_secret_value(SecretId=secret)
    except AwsUnavailable as error:
        code = error.code
    assert refused == code


def test_an_error_spike_in_the_logs_holds_the_next_one_back(
    aws: Aws, of_prod: Endpoints, service: Service
) -> None:
    bind(service)
    aws.log(f"/ecs/{NAME}", *["ERROR not authorized"] * 9, after_ms=1000)
    (reason,) = soaked(aws, of_prod, 31)
    assert reason == "staging: service logs: spike: 9 errors in the soak, 0 in as long a time before it"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"role_arn": ""}, "no role (set soakRole)"),
        ({"role_arn": "arn:aws:iam::111111111111:role/nobody"}, "AccessDenied"),
        ({"service": "nothing"}, "has no service nothing"),
    ],
)
def test_what_cannot_be_asked_is_unknown_and_refuses(
    aws: Aws, of_prod: Endpoints, changes: dict[str, str], why: str
) -> None:
    (reason,) = soaked(aws, of_prod, 31, **changes)
    assert reason.startswith("staging: whether it is bound and has soaked is unknown: ")
    assert why in reason


def test_a_login_history_that_cannot_be_asked_is_unknown(
    aws: Aws, of_prod: Endpoints, service: Service
) -> None:
    bind(service)
    (reason,) = soaked(aws, of_prod, 31, logins=True)
    assert reason.startswith("staging: Atlas login failures: unknown: no credentials for staging's project")


@pytest.fixture
def settings(aws: Aws) -> Settings:
    found = check_settings("staging", read_files(PROJECT_FOLDER), sandbox=True)
    return found.model_copy(update={"aws_account_id": aws.account(), "rollout_deadline_seconds": 30})


@pytest.fixture
def moving(aws: Aws) -> Any:
    """The agent steps by itself."""
    aws.agent.start()
    yield aws
    aws.agent.stop()


def bound_to_a_new_revision(aws: Aws, service: Service, held: int) -> str:
    """Deploy a new revision as a green rollout leaves it; the ARN of the one before."""
    prior, wanted = service.observe().revision, aws.register()
    aws.update(taskDefinition=wanted)
    service.bind(service.observe().arn, Bound(wanted, prior, time.time(), held))
    return prior


def test_rollback_runs_the_recorded_revision_again(
    moving: Aws, endpoints: Endpoints, service: Service, settings: Settings
) -> None:
    prior = bound_to_a_new_revision(moving, service, 2)
    done = roll_back("staging", settings, endpoints, "", lambda _: None)
    assert (f"{NAME}:7", f"{NAME}:8", 2) == (done.revision, done.left, done.held)
    assert service.observe().runs(prior)


@pytest.mark.usefixtures("endpoints")
def test_a_rollout_that_no_state_knows_of_is_undone_with_the_record_of_what_ran(
    moving: Aws, service: Service
) -> None:
    """Its engine was gone when it ended green: the stack goes back to provision all the same."""
    prior = bound_to_a_new_revision(moving, service, 0)
    place = {"stack": "staging", "region": "us-east-1", "cluster": CLUSTER, "service": NAME}
    settle_lease({**place, "allow_ungated": True})
    state, service_tags = service.observe_tagged()
    assert (True, ServiceTags()) == (state.runs(prior), service_tags)


def test_what_a_service_logged_is_shown_redacted_and_without_addresses(
    aws: Aws, endpoints: Endpoints, service: Service
) -> None:
    lines = [
        "GET / 200",
        "ERROR someone@example.com not authorized on askflorence",
        "ERROR once",
        "ERROR more",
    ]
    logs, named = aws.client("logs"), {"logGroupName": f"/ecs/{NAME}", "logStreamName": "service/app/1"}
    logs.create_log_stream(**named)
    now = int(time.time() * 1000)
    logs.put_log_events(**named, logEvents=[{"timestamp": now, "message": line} for line in lines])
    errors = errors_of(service, service.observe().revision, "us-east-1", endpoints, 60.0)
    assert ("ERROR (an address) not authorized on askflorence", "ERROR once") == errors


def test_a_log_that_cannot_be_read_yields_nothing(aws: Aws, endpoints: Endpoints, service: Service) -> None:
    wanted = aws.register(
        lambda c: c["logConfiguration"]["options"].update({"awslogs-group": "/ecs/nowhere"})
    )
    assert () == errors_of(service, wanted, "us-east-1", endpoints, 60.0)


def test_rollback_to_a_named_revision(moving: Aws, endpoints: Endpoints, settings: Settings) -> None:
    assert f"{NAME}:5" == roll_back("staging", settings, endpoints, "5", lambda _: None).revision


def test_rollback_registers_the_definition_of_an_inactive_revision_again(
    moving: Aws, endpoints: Endpoints, service: Service, settings: Settings
) -> None:
    prior = bound_to_a_new_revision(moving, service, 0)
    moving.client("ecs").deregister_task_definition(taskDefinition=prior)
    done = roll_back("staging", settings, endpoints, "", lambda _: None)
    before, now = service.definition(prior), service.definition(done.revision)
    assert (f"{NAME}:9", "not run") == (done.revision, done.gates)
    assert ("INACTIVE", "ACTIVE") == (before["status"], now["status"])
    assert before["containerDefinitions"] == now["containerDefinitions"]


def test_rollback_takes_over_what_a_dead_run_left(
    moving: Aws, endpoints: Endpoints, service: Service, settings: Settings
) -> None:
    state, wanted = service.observe(), moving.register()
    service.take(state.arn, Lease("dead", state.revision, wanted, time.time() - 100), None)
    moving.update(taskDefinition=wanted)
    roll_back("staging", settings, endpoints, "", lambda _: None)
    assert service.observe().runs(state.revision)


def test_rollback_to_a_revision_whose_secrets_are_gone_is_refused(
    moving: Aws, endpoints: Endpoints, settings: Settings
) -> None:
    delete_secret(moving)
    with pytest.raises(RolloutFailed, match=r"(?s)NOT ROLLED BACK  staging.*marked for deletion"):
        roll_back("staging", settings, endpoints, "6", lambda _: None)


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("", "which no rollout of ours brought"),
        ("other:3", "is no revision of askflorence-staging-app"),
        ("99", "has no revision askflorence-staging-app:99"),
    ],
)
def test_rollback_to_nothing_is_refused(endpoints: Endpoints, settings: Settings, to: str, why: str) -> None:
    with pytest.raises(RollbackRefused, match=why):
        roll_back("staging", settings, endpoints, to, lambda _: None)


def test_rollback_in_another_account_is_refused(of_prod: Endpoints, settings: Settings) -> None:
    with pytest.raises(RollbackRefused, match="these credentials act in AWS account"):
        roll_back("staging", settings, of_prod, "", lambda _: None)


def alarm(aws: Aws, name: str, state: str = "") -> None:
    cloudwatch, measured = aws.client("cloudwatch"), {"Namespace": "AWS/ApplicationELB", "MetricName": "5xx"}
    compared = {"Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0}
    operator = {"ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName=name, **measured, **compared, **operator)
    if state:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="9 errors")


def test_alarms_are_ok_in_alarm_or_unknown(aws: Aws, endpoints: Endpoints) -> None:
    alarm(aws, "quiet", "OK")
    alarm(aws, "loud", "ALARM")
    alarm(aws, "new", "INSUFFICIENT_DATA")
    found = alarms_now(("loud", "nowhere", "quiet", "new"), "us-east-1", endpoints)
    assert [
        "alarm loud: ALARM: 9 errors",
        "alarm nowhere: unknown: no alarm of this name in this account and region",
        "alarm quiet: OK",
        "alarm new: unknown: INSUFFICIENT_DATA; where no data means no error, let the alarm treat missing data as "
        "notBreaching",
    ] == list(map(str, found))


def test_alarms_that_cannot_be_read_are_unknown(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
    (found,) = alarms_now(("5xx",), "us-east-1", endpoints)
    assert found.ok is None
    assert "cloudwatch:DescribeAlarms" in found.why


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("OK", ()),
        ("ALARM", ("staging: alarm 5xx: in alarm: ALARM: 9 errors",)),
        ("INSUFFICIENT_DATA", ("staging: alarm 5xx: unknown: " + NO_DATA,)),
    ],
)
def test_an_alarm_of_the_stack_before_holds_the_next_one_back(
    aws: Aws, of_prod: Endpoints, service: Service, state: str, expected: tuple[str, ...]
) -> None:
    bind(service)
    alarm(aws, "5xx", state)
    assert expected == soaked(aws, of_prod, 31, alarms=("5xx",))


def test_a_pinned_version_of_ours_that_lost_its_labels_gets_one_again(
    aws: Aws, endpoints: Endpoints, service: Service
) -> None:
    store, name = aws.client("secretsmanager"), "staging/mongodb/app-read"
    versions = [store.get_secret_value(SecretId=name)["VersionId"]]
    arn = store.describe_secret(SecretId=name)["ARN"]

    def pin(container: dict[str, Any]) -> None:
        container["secrets"] = [{"name": "MONGODB_URI", "valueFrom": f"{arn}:::{versions[0]}"}]

    definition = service.definition(aws.register(pin))
    versions += [
        store.put_secret_value(SecretId=name, SecretString=each)["VersionId"] for each in ("second", "third")
    ]

    def lost() -> tuple[str, ...]:
        found = stored_secret(name, region="us-east-1", endpoints=endpoints)
        return unlabelled([found] if found else [], [definition])

    def again(*definitions: Any) -> list[str]:
        said: list[str] = []
        label_again(client("secretsmanager", "us-east-1", endpoints), definitions, said.append)
        return said

    assert ((), []) == (lost(), again(definition)), "not of ours"
    store.update_secret(SecretId=name, Description=f"Connection string{MADE_HERE}")
    assert (f"{name} version {versions[0]}",) == lost()
    assert [f"{name} version {versions[0]}: labelled again, so that Secrets Manager keeps it"] == again(
        definition
    )
    assert ((), []) == (lost(), again(definition))
    pinned = {"taskDefinitionArn": "x", "containerDefinitions": [{"name": "app"}]}
    pinned["containerDefinitions"][0]["secrets"] = [{"name": "A", "valueFrom": f"{arn}:::{versions[2]}"}]
    assert [] == again(pinned)
    assert versions[0] not in store.describe_secret(SecretId=name)["VersionIdsToStages"]


def test_a_label_that_aws_refuses_is_said(aws: Aws, endpoints: Endpoints, service: Service) -> None:
    store, name = aws.client("secretsmanager"), "staging/mongodb/app-read"
    store.update_secret(SecretId=name, Description=f"Connection string{MADE_HERE}")
    first, arn = (store.get_secret_value(SecretId=name)[key] for key in ("VersionId", "ARN"))
    current = [store.put_secret_value(SecretId=name, SecretString=each) for each in "bc"][-1]["VersionId"]
    for number in range(18):
        store.update_secret_version_stage(SecretId=name, VersionStage=f"l{number}", MoveToVersionId=current)
    said: list[str] = []
    pinned = {"containerDefinitions": [{"secrets": [{"name": "A", "valueFrom": f"{arn}:::{first}"}]}]}
    label_again(client("secretsmanager", "us-east-1", endpoints), [pinned], said.append)
    (line,) = said
    assert line.startswith(f"{name}: a pinned version has no label, and was not labelled again: ")
    assert "LimitExceededException" in line
