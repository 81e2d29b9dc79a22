"""What a pre-flight sees on the sandbox's AWS: unreadable secrets, and whether the stack before has soaked."""

import time
from dataclasses import replace
from typing import Any

import pytest
from aws_fixture import Aws

from atlas_access.base.clock import SystemClock
from atlas_access.base.endpoints import Endpoints
from atlas_access.base.settings import Settings, check_settings
from atlas_access.clients import AwsUnavailable, client
from atlas_access.clients.other_account import AccountPlace, session_in
from atlas_access.rollout.observe_soak import Preceding, looked
from atlas_access.rollout.readable import Readability
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.rollback import RollbackRefused, roll_back
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_log import errors_of
from atlas_access.rollout.service_tags import Bound, Lease, Marks
from atlas_access.rollout.soak import SoakSeen, refusals
from atlas_access.rollout.wiring import PROJECT_FOLDER, settle_lease
from components.settings import read_files

CLUSTER, NAME = "askflorence-staging", "askflorence-staging-app"


def enter(aws: Aws, monkeypatch: pytest.MonkeyPatch, environment: str = "staging") -> Endpoints:
    """This process acts as the deployer of an environment, in sandbox mode."""
    session = aws.sessions[environment]
    variables = {
        "ATLAS_ACCESS_SANDBOX": "1",
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
        "ATLAS_ACCESS_SANDBOX_DIR": "",
    }
    overlay = ("AWS_ENDPOINT_URL", "MONGODB_ATLAS_BASE_URL", "ATLAS_ACCESS_SMOKE_URL", "GITHUB_API_URL")
    variables |= dict.fromkeys((*overlay, "ATLAS_ACCESS_HUBSPOT_URL"), aws.url)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Endpoints.from_environment(variables)


def readable(aws: Aws, monkeypatch: pytest.MonkeyPatch, revision: str = "") -> tuple[str, ...]:
    service = Service(aws.client("ecs"), CLUSTER, NAME)
    name = revision or service.look().revision
    return Readability("us-east-1", enter(aws, monkeypatch)).refusals(name, service.definition(name))


def test_what_runs_is_readable(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    assert () == readable(aws, monkeypatch)


def test_a_secret_that_the_role_is_not_granted_is_named(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = aws.client("secretsmanager").create_secret(Name="staging/other", SecretString="x")["ARN"]
    wanted = aws.register(lambda c: c["secrets"].append({"name": "OTHER", "valueFrom": arn}))
    (reason,) = readable(aws, monkeypatch, wanted)
    assert "askflorence-staging-app-execution may not secretsmanager:GetSecretValue for OTHER" in reason


def test_a_key_that_the_role_may_not_use_is_named(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    aws.client("secretsmanager").update_secret(SecretId="staging/mongodb/app-read", KmsKeyId=key)
    assert any("may not kms:Decrypt" in reason for reason in readable(aws, monkeypatch))


def test_a_key_that_is_disabled_is_named(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    key = aws.client("kms").describe_key(KeyId="alias/askflorence-staging")["KeyMetadata"]["KeyId"]
    aws.client("kms").disable_key(KeyId=key)
    assert all("its key is Disabled" in reason for reason in readable(aws, monkeypatch))


def test_a_secret_marked_for_deletion_is_named(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.client("secretsmanager").delete_secret(SecretId="staging/mongodb/app-read")
    assert any("marked for deletion" in reason for reason in readable(aws, monkeypatch))


def test_a_version_that_is_gone_is_named(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    def pin(container: dict[str, Any]) -> None:
        container["secrets"][0]["valueFrom"] += ":::00000000-0000-0000-0000-000000000000"

    reasons = readable(aws, monkeypatch, aws.register(pin))
    assert any("version 00000000-0000-0000-0000-000000000000 is not there" in each for each in reasons)


def test_where_iam_does_not_simulate_and_the_role_is_closed_the_answer_is_unknown(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller's own identity could read it; that is no answer."""
    from atlas_access.clients import AwsUnavailable, client

    class Closed:
        def simulate_principal_policy(self, **_: Any) -> Any:
            raise AwsUnavailable("simulating", "AccessDenied")

    def opened(service: str, region: str, endpoints: Endpoints, **given: Any) -> Any:
        return Closed() if service == "iam" else client(service, region, endpoints, **given)

    service = Service(aws.client("ecs"), CLUSTER, NAME)
    revision = service.look().revision
    readability = Readability("us-east-1", enter(aws, monkeypatch), opened)
    (reason,) = readability.refusals(revision, service.definition(revision))
    assert "is unknown: IAM refuses to simulate it, and the role cannot be taken on (AccessDenied)" in reason


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


def bind(aws: Aws) -> None:
    service = Service(aws.client("ecs"), CLUSTER, NAME)
    state = service.look()
    service.bind(state.arn, Bound(state.revision, state.revision, time.time()))


def soaked(aws: Aws, endpoints: Endpoints, minutes: float, **changes: Any) -> tuple[str, ...]:
    found = looked(preceding(aws, **changes), aws.account("prod"), endpoints, SystemClock(minutes * 60))
    return refusals(found, 30) if isinstance(found, SoakSeen) else (found,)


def test_a_stack_that_is_not_bound_holds_the_next_one_back(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    (reason,) = soaked(aws, enter(aws, monkeypatch, "prod"), 60)
    assert reason.startswith("staging is not bound: its service runs askflorence-staging-app:7 2/2")


def test_a_stack_must_have_soaked_long_enough(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    bind(aws)
    (reason,) = soaked(aws, enter(aws, monkeypatch, "prod"), 12)
    assert reason.startswith("staging has soaked 12 of 30 minutes")


def test_a_stack_that_soaked_quietly_lets_the_next_one_go(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    bind(aws)
    assert () == soaked(aws, enter(aws, monkeypatch, "prod"), 31)


@pytest.mark.parametrize(
    ("secret", "refused"),
    [
        ("staging/mongodb/app-write-v2", ""),
        ("staging/hubspot/access-token", ""),
        ("staging/mongodb/app-read", "AccessDeniedException"),
    ],
)
def test_prods_deployer_reads_in_staging_what_gate_8_needs_and_no_more(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, secret: str, refused: str
) -> None:
    if secret.endswith("-v2"):
        aws.client("secretsmanager").create_secret(Name=secret, SecretString="x")
    role = f"arn:aws:iam::{aws.account()}:role/atlas-access-observer"
    place = AccountPlace("staging", aws.account(), "us-east-1", CLUSTER, NAME, role)
    endpoints = enter(aws, monkeypatch, "prod")
    store = client("secretsmanager", "us-east-1", endpoints, session=session_in(place, endpoints, "soak"))
    code = ""
    try:
        store.get_secret_value(SecretId=secret)
    except AwsUnavailable as error:
        code = error.code
    assert refused == code


def test_an_error_spike_in_the_logs_holds_the_next_one_back(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind(aws)
    logs, group = aws.client("logs"), f"/ecs/{NAME}"
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000) + 1000
    events = [{"timestamp": now + n, "message": "ERROR not authorized"} for n in range(9)]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    (reason,) = soaked(aws, enter(aws, monkeypatch, "prod"), 31)
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
    aws: Aws, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], why: str
) -> None:
    (reason,) = soaked(aws, enter(aws, monkeypatch, "prod"), 31, **changes)
    assert reason.startswith("staging: whether it is bound and has soaked is unknown: ")
    assert why in reason


def test_a_login_history_that_cannot_be_asked_is_unknown(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    bind(aws)
    (reason,) = soaked(aws, enter(aws, monkeypatch, "prod"), 31, logins=True)
    assert reason.startswith("staging: Atlas login failures: unknown: no credentials for staging's project")


def settings(aws: Aws) -> Settings:
    found = check_settings("staging", read_files(PROJECT_FOLDER), sandbox=True)
    return found.model_copy(update={"aws_account_id": aws.account(), "rollout_deadline_seconds": 30})


@pytest.fixture
def moving(aws: Aws) -> Any:
    """The agent steps by itself."""
    aws.agent.start()
    yield aws
    aws.agent.stop()


def test_rollback_runs_the_recorded_revision_again(moving: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = enter(moving, monkeypatch)
    service = Service(moving.client("ecs"), CLUSTER, NAME)
    prior, wanted = service.look().revision, moving.register()
    moving.update(taskDefinition=wanted)
    service.bind(service.look().arn, Bound(wanted, prior, time.time(), 2))
    done = roll_back("staging", settings(moving), endpoints, "", lambda _: None)
    assert ("askflorence-staging-app:7", "askflorence-staging-app:8", 2) == (
        done.revision,
        done.left,
        done.held,
    )
    assert service.look().runs(prior)


def test_a_rollout_that_no_state_knows_of_is_undone_with_the_record_of_what_ran(
    moving: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its engine was gone when it ended green: the stack goes back to provision all the same."""
    enter(moving, monkeypatch)
    service = Service(moving.client("ecs"), CLUSTER, NAME)
    prior, wanted = service.look().revision, moving.register()
    moving.update(taskDefinition=wanted)
    service.bind(service.look().arn, Bound(wanted, prior, time.time(), 0))
    place = {"stack": "staging", "region": "us-east-1", "cluster": CLUSTER, "service": NAME}
    settle_lease({**place, "allow_ungated": True})
    state, marks = service.look_marked()
    assert (True, Marks()) == (state.runs(prior), marks)


def test_what_a_service_logged_is_told_redacted_and_without_addresses(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints = enter(aws, monkeypatch)
    service = Service(aws.client("ecs"), CLUSTER, NAME)
    logs, now = aws.client("logs"), int(time.time() * 1000)
    named = {"logGroupName": f"/ecs/{NAME}", "logStreamName": "service/app/1"}
    logs.create_log_stream(**named)
    lines = [
        "GET / 200",
        "ERROR someone@example.com not authorized on askflorence",
        "ERROR once",
        "ERROR more",
    ]
    logs.put_log_events(**named, logEvents=[{"timestamp": now, "message": line} for line in lines])
    errors = errors_of(service, service.look().revision, "us-east-1", endpoints, 60.0)
    assert ("ERROR (an address) not authorized on askflorence", "ERROR once") == errors


def test_a_log_that_cannot_be_read_tells_nothing(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = enter(aws, monkeypatch)
    wanted = aws.register(
        lambda c: c["logConfiguration"]["options"].update({"awslogs-group": "/ecs/nowhere"})
    )
    service = Service(aws.client("ecs"), CLUSTER, NAME)
    assert () == errors_of(service, wanted, "us-east-1", endpoints, 60.0)


def test_rollback_to_a_named_revision(moving: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = enter(moving, monkeypatch)
    done = roll_back("staging", settings(moving), endpoints, "5", lambda _: None)
    assert "askflorence-staging-app:5" == done.revision


def test_rollback_takes_over_what_a_dead_run_left(moving: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = enter(moving, monkeypatch)
    service = Service(moving.client("ecs"), CLUSTER, NAME)
    state, wanted = service.look(), moving.register()
    service.take(state.arn, Lease("dead", state.revision, wanted, time.time() - 100), None)
    moving.update(taskDefinition=wanted)
    roll_back("staging", settings(moving), endpoints, "", lambda _: None)
    assert service.look().runs(state.revision)


def test_rollback_to_a_revision_whose_secrets_are_gone_is_refused(
    moving: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints = enter(moving, monkeypatch)
    moving.client("secretsmanager").delete_secret(SecretId="staging/mongodb/app-read")
    with pytest.raises(RolloutFailed, match=r"(?s)NOT ROLLED BACK  staging.*marked for deletion"):
        roll_back("staging", settings(moving), endpoints, "6", lambda _: None)


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("", "which no rollout of ours brought"),
        ("other:3", "is no revision of askflorence-staging-app"),
        ("99", "has no revision askflorence-staging-app:99"),
    ],
)
def test_rollback_to_nothing_is_refused(aws: Aws, monkeypatch: pytest.MonkeyPatch, to: str, why: str) -> None:
    endpoints = enter(aws, monkeypatch)
    with pytest.raises(RollbackRefused, match=why):
        roll_back("staging", settings(aws), endpoints, to, lambda _: None)


def test_rollback_in_another_account_is_refused(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = enter(aws, monkeypatch, "prod")
    with pytest.raises(RollbackRefused, match="these credentials act in AWS account"):
        roll_back("staging", settings(aws), endpoints, "", lambda _: None)
