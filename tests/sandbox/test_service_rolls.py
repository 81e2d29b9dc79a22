"""Deployments of a service whose tasks are processes: rolled without a failed request, refused, broken, undone."""

import os
import signal
from pathlib import Path
from typing import Any

from service_fixture import Load, Running, image, until

from sandbox import processes
from sandbox.ecs.releases import Pipeline
from sandbox.load.process import LoadProcess

SCENARIOS = Path(__file__).parents[2] / "smoke.yaml"
CYCLE = 62
"""Questions in a cycle of the load; a release may take less than one."""


def pids(running: Running) -> dict[str, int]:
    """The process of each staging task, by the first eight characters of its id."""
    records = processes.load(running.world.directory)
    tasks = [each for each in records if each.name.startswith("task askflorence-staging-app ")]
    return {each.name.rpartition(" ")[2]: each.pid for each in tasks}


def test_a_rolling_deployment_fails_no_request_and_ends_on_the_new_revision(running: Running) -> None:
    before = running.service()["taskDefinition"]
    wanted = running.register(image("legacy"))
    with Load(running.url) as load:
        until(lambda: load.count > 20)
        running.deploy(wanted)
        service = running.settled()
        observed = load.count
        until(lambda: load.count > observed + 20)
    names = {arn.rpartition("/")[2] for arn in (before, wanted)}
    assert ([], names, wanted) == (load.failures, load.revisions, service["taskDefinition"])
    messages = " ".join(event["message"] for event in service["events"])
    assert all(words in messages for words in ("has started 2 tasks", "has begun draining", "steady state"))


def test_load_on_every_endpoint_is_served_well_through_a_release_of_another_build(running: Running) -> None:
    pipeline = Pipeline(running.world, "staging")
    with LoadProcess.of(running.world, 50, scenarios=SCENARIOS) as load:
        released = pipeline.build("legacy")
        mark = load.mark("released")
        until(lambda: load.mark("asked everything").asked >= CYCLE)
        report = load.end()
    answered = {each.revision for each in report.served if each.environment == "staging"}
    assert ((), {released.before, released.after}) == (report.faults, answered)
    assert (True, 14) == (report.clean, len(report.endpoints))
    assert mark.asked <= report.asked


def test_a_wrong_answer_under_load_is_reported_with_its_revision(running: Running) -> None:
    pipeline = Pipeline(running.world, "staging")
    before = pipeline.observe().revision
    with LoadProcess.of(running.world, 50, scenarios=SCENARIOS) as load:
        broken = pipeline.build("broken")
        pipeline.revision(before)
        report = load.end()
    bad = {(each.question, each.kind.value) for each in report.faults}
    # Its build reads variables that this service does not bind yet.
    assert {("POST /api/providers/covered", "wrong"), ("POST /api/agent-waitlist", "failed")} == bad
    assert {("staging", broken.after)} == {(each.environment, each.revision) for each in report.faults}
    assert 0 < (report.exposed("staging", broken.after) or 0.0) < 60


def test_new_tasks_are_healthy_before_old_ones_drain(running: Running) -> None:
    running.deploy(running.register(image("legacy")))
    counts = []
    while len(running.service()["deployments"]) > 1:
        counts.append(running.service()["runningCount"])
    assert min(counts) >= 2
    stopped = [t for t in running.tasks("STOPPED") if t["stopCode"] == "ServiceSchedulerInitiated"]
    assert {0} == {task["containers"][0]["exitCode"] for task in stopped}
    assert {"HEALTHY"} == {task["healthStatus"] for task in running.tasks()}


def test_a_task_whose_secret_is_unreadable_never_becomes_a_process(running: Running) -> None:
    before = running.service()["taskDefinition"]
    arn = running.client("secretsmanager").create_secret(Name="staging/other", SecretString="x")["ARN"]
    wanted = running.register(lambda c: c["secrets"].append({"name": "OTHER", "valueFrom": arn}))
    ours = set(pids(running).values())
    running.deploy(wanted)
    service = until(lambda: (s := running.service())["taskDefinition"] == before and s)
    running.settled()
    reasons = [t["stoppedReason"] for t in running.tasks("STOPPED") if t["taskDefinitionArn"] == wanted]
    assert reasons
    assert all("ResourceInitializationError: unable to pull secrets" in reason for reason in reasons)
    assert ours == set(pids(running).values())
    assert any("rolling back" in event["message"] for event in service["events"])


def test_an_image_that_crashes_trips_the_breaker_and_fails_no_request(running: Running) -> None:
    before = running.service()["taskDefinition"]
    wanted = running.register(image("crashing"))
    with Load(running.url) as load:
        running.deploy(wanted)
        until(lambda: running.service()["taskDefinition"] == before)
        running.settled()
    assert ([], {before.rpartition("/")[2]}) == (load.failures, load.revisions)
    crashed = [t for t in running.tasks("STOPPED") if t["taskDefinitionArn"] == wanted]
    ends = [(t["stopCode"], t["containers"][0].get("exitCode")) for t in crashed]
    assert ends.count(("EssentialContainerExited", 1)) >= 3
    assert any("cannot start: a module is missing" in line for line in running.log_lines())


def test_a_task_that_dies_is_replaced_while_the_other_serves(running: Running) -> None:
    before = pids(running)
    victim = next(iter(before.values()))
    with Load(running.url, pause=0.05) as load:
        os.kill(victim, signal.SIGKILL)
        until(lambda: victim not in pids(running).values() and len(pids(running)) == 2)
        until(lambda: running.service()["runningCount"] == 2)
    # What was on its way when the process was killed may be lost, as it is behind any load balancer.
    assert len(load.failures) <= 3
    dead = [t for t in running.tasks("STOPPED") if t["stopCode"] == "EssentialContainerExited"]
    assert 137 in {t["containers"][0]["exitCode"] for t in dead}


def one_off(running: Running, **container: Any) -> dict[str, Any]:
    """Run a task of the runtime family with another command, and return it once it has ended."""
    (task,) = running.ecs.run_task(
        cluster=running.names["cluster"],
        taskDefinition="askflorence-staging-app",
        launchType="FARGATE",
        networkConfiguration=running.service()["networkConfiguration"],
        overrides={"containerOverrides": [{"name": "app", **container}]},
    )["tasks"]

    def ended() -> dict[str, Any] | None:
        (found,) = running.ecs.describe_tasks(cluster=running.names["cluster"], tasks=[task["taskArn"]])[
            "tasks"
        ]
        return found if found["lastStatus"] == "STOPPED" else None

    return until(ended)


def test_a_one_off_task_runs_its_command_with_its_secrets_and_returns_its_exit_code(running: Running) -> None:
    program = (
        "import os, sys; print(sorted(n for n in os.environ if n.startswith('MONGODB_URI')));"
        "print(os.environ['ASKED'], os.environ['ATLAS_ACCESS_SANDBOX']); sys.exit(3)"
    )
    asked = [{"name": "ASKED", "value": "by override"}]
    task = one_off(running, command=["python", "-c", program], environment=asked)
    stopped = (task["lastStatus"], task["stopCode"], task["containers"][0]["exitCode"])
    assert ("STOPPED", "EssentialContainerExited", 3) == stopped
    lines = running.log_lines(f"service/app/{task['taskArn'].rpartition('/')[2]}")
    assert "'MONGODB_URI', " in lines[0]
    assert "by override 1" == lines[1]


def test_a_command_that_the_image_does_not_have_fails_to_start(running: Running) -> None:
    task = one_off(running, command=["bash", "-c", "true"])
    assert "TaskFailedToStart" == task["stopCode"]
    assert 'exec: "bash": executable file not found' in task["stoppedReason"]


def test_the_schema_task_makes_its_indexes_by_the_schema_user(running: Running) -> None:
    (task,) = running.ecs.run_task(
        cluster=running.names["cluster"],
        taskDefinition="askflorence-staging-schema",
        networkConfiguration=running.service()["networkConfiguration"],
    )["tasks"]

    def ended() -> bool:
        (found,) = running.ecs.describe_tasks(cluster=running.names["cluster"], tasks=[task["taskArn"]])[
            "tasks"
        ]
        return bool(found["lastStatus"] == "STOPPED" and found["containers"][0]["exitCode"] == 0)

    until(ended)
    assert ["INFO 5 indexes are there"] == running.log_lines("schema_task/")


def test_a_task_can_be_stopped_by_hand_and_is_replaced(running: Running) -> None:
    victim = running.tasks()[0]["taskArn"]
    running.ecs.stop_task(cluster=running.names["cluster"], task=victim, reason="by hand")
    until(lambda: victim in [t["taskArn"] for t in running.tasks("STOPPED") if t["lastStatus"] == "STOPPED"])
    until(lambda: len([t for t in running.tasks() if t["healthStatus"] == "HEALTHY"]) == 2)
    (stopped,) = [t for t in running.tasks("STOPPED") if t["taskArn"] == victim]
    assert ("UserInitiated", "by hand") == (stopped["stopCode"], stopped["stoppedReason"])
