"""The gated migration of both stacks on a whole sandbox: captured, bound, soaked, rolled back, held, and released.

One sandbox plays the story in order, each test inspects one part. Gate 6 needs a Chromium, which .ci/run installs.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import pytest
from pymongo import MongoClient
from service_fixture import Load
from world_fixture import ROOT, deployed, run_command, sandbox

from atlas_access.manifest import load_manifest
from atlas_access.review.deployment import Deployment, Operation
from atlas_access.review.deployment_text import failure_lines
from atlas_access.rollout.service_tags import ServiceTags, read_service_tags
from sandbox.aws.clients import client_of
from sandbox.demo.baselines import capture_baseline
from sandbox.world import World

BROKEN = "registry.example.com/askflorence/app:broken"
REPAIR = "gate 3 is red on the broken build (INC-7)"
SLOW = {"proofDeadlineSeconds": "600"}
"""A busy machine proves slowly, which is not what is asked here."""


@dataclass
class Story:
    """A sandbox, what each step of the migration came to, and what was said on the way."""

    world: World
    runs: dict[str, Deployment] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)
    commands: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    found: dict[str, tuple[str, ServiceTags]] = field(default_factory=dict)
    load: Load | None = None

    def deploy(
        self, name: str, stack: str, phase: str, operation: Operation = Operation.UP, **settings: str
    ) -> Deployment:
        said = self.said.setdefault(name, [])
        given = {**SLOW, **settings}
        self.runs[name] = deployed(
            self.world, stack, phase, operation, say=lambda each: said.append(each.text), settings=given
        )
        self.observe(name, stack)
        return self.runs[name]

    def command(self, name: str, stack: str, *arguments: str) -> None:
        self.commands[name] = run_command(self.world, stack, *arguments)
        self.observe(name, stack)

    def observe(self, name: str, stack: str) -> None:
        ecs = client_of(self.world, stack, "ecs")
        service: dict[str, Any] = ecs.describe_services(
            cluster=f"askflorence-{stack}", services=[f"askflorence-{stack}-app"], include=["TAGS"]
        )["services"][0]
        assert 1 == len(service["deployments"])
        tags = {tag["key"]: tag["value"] for tag in service.get("tags") or ()}
        self.found[name] = service["taskDefinition"].rpartition(":")[2], read_service_tags(tags)

    def image(self, stack: str, number: int) -> str:
        name = f"askflorence-{stack}-app:{number}"
        found = client_of(self.world, stack, "ecs").describe_task_definition(taskDefinition=name)
        return str(found["taskDefinition"]["containerDefinitions"][0]["image"])

    def lines(self, name: str) -> str:
        return "\n".join(failure_lines(self.runs[name]))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    directory = tmp_path_factory.mktemp("gated") / "sandbox"
    with sandbox(directory, service=True, propagation_seconds=0.2) as world:
        result = Story(world)
        with pytest.MonkeyPatch.context() as without_browser:
            without_browser.setenv("CHROMIUM", "/nowhere/chromium")
            result.deploy("refused", "staging", "provision")
            result.command("captured", "staging", "sandbox", "baseline", "staging", "--dir", str(directory))
            result.deploy("provision", "staging", "provision")
        capture_baseline(result.world, "prod", ROOT)
        result.deploy("staging bind", "staging", "bind")
        result.command("smoke", "staging", "smoke", "staging", "--round", "1", "--format", "json")
        result.command("no soak", "prod", "soak", "prod")
        result.command("soaking", "staging", "soak", "staging")
        result.deploy("too early", "prod", "bind")
        result.command("clock", "prod", "sandbox", "clock", "--dir", str(directory), "--advance", "31m")
        result.command("soaked", "staging", "soak", "staging", "--watch")
        result.deploy("prod bind", "prod", "bind")
        result.command("rollback", "prod", "rollback", "prod", "--format", "json")
        result.deploy("held", "prod", "bind")
        result.deploy("released", "prod", "bind", rolloutRelease="1")
        result.deploy("unprotected", "staging", "bind", unprotect="true")
        result.deploy("destroyed", "staging", "bind", Operation.DESTROY, unprotect="true")
        with Load(result.world.of("staging").service_url, pause=0.1) as result.load:
            result.deploy("broken", "staging", "bind", containerImage=BROKEN)
        change_legacy_passwords(result.world, "prod")
        result.command("credentials dead", "prod", "rollback", "prod", "--format", "json")
        result.deploy("held again", "prod", "bind", rolloutRelease="1")
        result.command("red", "staging", "rollback", "staging", "--to", "9")
        cure = {"containerImage": result.image("staging", 8), "rolloutRelease": "1"}
        result.deploy("sick", "staging", "bind", **cure)
        result.deploy("repaired", "staging", "bind", **cure, repair=REPAIR)
        result.deploy("spent", "staging", "bind", Operation.PREVIEW, **cure, repair=REPAIR)
        yield result


def change_legacy_passwords(world: World, stack: str) -> None:
    manifest = load_manifest((ROOT / "access.yaml").read_bytes())
    with MongoClient[dict[str, object]](world.of(stack).mongod.root_uri, directConnection=True) as client:
        for user in manifest.legacy_on(stack):
            client["admin"].command("updateUser", user.name, pwd=token_hex(16))


def test_a_first_provision_without_a_baseline_creates_nothing(story: Story) -> None:
    refused = story.runs["refused"]
    assert "atlas-access baseline capture STACK" in refused.failure
    assert {"pulumi:pulumi:Stack"} >= {step.type for step in refused.steps if step.changing} - {
        "pulumi:providers:aws"
    }


def test_a_baseline_is_captured_on_the_command_line(story: Story) -> None:
    done = story.commands["captured"]
    assert (0, "CAPTURED  staging: 14 plans, 30 answers of askflorence-staging-app:7\n", "") == (
        done.returncode,
        done.stdout.partition("Next:")[0],
        done.stderr,
    )


@pytest.mark.parametrize(
    ("name", "code", "start"),
    [
        ("no soak", 0, "prod: no soak: nothing is bound in phase provision"),
        ("soaking", 3, "SOAK NOT KNOWN  staging: staging has soaked 0 of 30 minutes"),
        (
            "soaked",
            0,
            "staging: askflorence-staging-app:8 has soaked 3",
        ),
    ],
)
def test_a_soak_is_asked_on_the_command_line(story: Story, name: str, code: int, start: str) -> None:
    done = story.commands[name]
    assert code == done.returncode, done.stdout + done.stderr
    assert (done.stdout + done.stderr).startswith(start)
    for source in ("service logs", "Atlas login failures"):
        assert (f"{source}: 0 errors in the soak" in done.stdout) == (name == "soaked")


def test_the_gates_on_the_command_line_are_green_on_a_bound_revision_and_leave_nothing(story: Story) -> None:
    report = json.loads(story.commands["smoke"].stdout)
    standings = [gate["standing"] for one in report["rounds"] for gate in one["gates"]]
    assert (0, ["met"] * 8, ["askflorence-staging-app:8"]) == (
        story.commands["smoke"].returncode,
        standings,
        report["rounds"][0]["revisions"],
    )
    root = MongoClient[dict[str, object]](story.world.of("staging").mongod.root_uri, directConnection=True)
    with root as client:
        rows = client["askflorence"]["agent_waitlist_submissions"]
        assert 0 == rows.count_documents({"email": {"$regex": "^smoke"}})


def test_no_command_of_the_story_shows_a_secret(story: Story) -> None:
    result = "".join(each.stdout + each.stderr for each in story.commands.values())
    assert [] == [secret for secret in story.world.secrets() if secret in result]


@pytest.mark.parametrize(("name", "revision"), [("staging bind", 8), ("prod bind", 13), ("released", 13)])
def test_a_bound_revision_has_shown_two_green_rounds(story: Story, name: str, revision: int) -> None:
    assert "" == story.runs[name].failure
    green = [line for line in story.said[name] if line.startswith("gates on") and line.endswith(": green")]
    bound = story.found[name][1].bound
    assert 2 == len(green)
    assert bound is not None
    assert (str(revision), str(revision), None) == (
        story.found[name][0],
        bound.revision.rpartition(":")[2],
        story.found[name][1].lease,
    )


def test_prod_asks_all_of_stagings_gates_again(story: Story) -> None:
    assert "staging goes first: its eight gates are run again now" in story.said["prod bind"]


def test_prod_is_refused_until_staging_has_soaked_which_is_shown_once(story: Story) -> None:
    lines = story.lines("too early")
    assert lines.startswith("NOT STARTED  prod: 1 reason; askflorence-prod-app:12 keeps running.\n")
    shown = "\n".join(story.said["too early"]) + lines
    assert 1 == len(re.findall(r"staging has soaked \d of 30 minutes", shown))
    assert ("12", ServiceTags()) == story.found["too early"]


def test_the_sandboxs_clock_is_advanced_on_the_command_line(story: Story) -> None:
    done = story.commands["clock"]
    assert (0, "The sandbox's clock is 31 minutes ahead.\n") == (done.returncode, done.stdout)


def test_a_rollback_runs_the_recorded_revision_again_green_and_holds(story: Story) -> None:
    done = story.commands["rollback"]
    answer = json.loads(done.stdout)
    found = (done.returncode, answer["revision"], answer["held"], answer["gates"])
    assert (0, "askflorence-prod-app:12", 0, "green") == found
    assert ("12", ServiceTags(held=0)) == story.found["rollback"]


def test_a_rollback_never_ends_on_refused_credentials(story: Story) -> None:
    """The recorded revision 12 is bound to the legacy users, whose passwords were changed."""
    done = story.commands["credentials dead"]
    answer = json.loads(done.stdout)
    found = (done.returncode, answer["revision"], answer["left"], answer["gates"])
    assert (0, "askflorence-prod-app:14", "askflorence-prod-app:13", "green") == found
    refused = "askflorence-prod-app:12: MONGODB_URI: the server refuses its login"
    assert refused in done.stderr
    assert "app:14 is the definition of askflorence-prod-app:12 with today's proven cred" in done.stderr
    definitions = {
        number: client_of(story.world, "prod", "ecs").describe_task_definition(
            taskDefinition=f"askflorence-prod-app:{number}"
        )["taskDefinition"]["containerDefinitions"][0]
        for number in (12, 14)
    }
    names = {number: [each["name"] for each in found["secrets"]] for number, found in definitions.items()}
    assert (names[12], definitions[12]["image"]) == (names[14], definitions[14]["image"])


def test_a_rollback_onto_a_revision_with_a_red_gate_is_no_success(story: Story) -> None:
    done = story.commands["red"]
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert 1 == done.returncode
    assert any("GATES RED  staging: askflorence-staging-app:9 running 2/2 again" in line for line in lines)
    assert "askflorence-staging-app:9 does not work: gate 3 providers/covered:" in done.stderr
    assert "9" == story.found["red"][0]


def test_a_service_that_is_red_is_moved_by_a_reviewed_repair_alone(story: Story) -> None:
    red = r"gate 3 providers/covered: .* \(already on askflorence-staging-app:9, before any change\)"
    assert story.lines("sick").startswith("NOT STARTED  staging: 3 reasons; askflorence-staging-app:9 keeps")
    assert re.search(red, story.lines("sick"))
    assert "" == story.runs["repaired"].failure
    said = "\n".join(story.said["repaired"])
    assert re.search(red + ": reported only, because atlas-access:repair states a repair", said)
    number, tags = story.found["repaired"]
    assert tags.bound is not None
    assert (number, "9") == (tags.bound.revision.rpartition(":")[2], tags.bound.prior.rpartition(":")[2])
    definition = client_of(story.world, "staging", "ecs").describe_task_definition(
        taskDefinition=tags.bound.revision, include=["TAGS"]
    )
    assert {"key": "atlas-access/repair", "value": "gate 3 is red on the broken build INC-7"} in (
        definition["tags"]
    )


def test_a_spent_repair_is_a_finding_of_the_preview(story: Story) -> None:
    number = story.found["repaired"][0]
    assert f"the repair was spent by askflorence-staging-app:{number}: remove atlas-access:repair from" in (
        "\n".join(story.said["spent"])
    )
    assert 0 == story.runs["spent"].changes


def test_after_a_rollback_an_update_is_refused_and_not_green(story: Story) -> None:
    lines = story.lines("held")
    assert lines.startswith("NOT STARTED  prod: 1 reason; askflorence-prod-app:12 keeps running.\n")
    assert "raise rolloutRelease above 0 in a reviewed change" in lines
    assert ("12", ServiceTags(held=0)) == story.found["held"]


def test_after_a_rollback_onto_new_credentials_an_update_is_refused_too(story: Story) -> None:
    """The revision that runs is bound as wanted: only the hold tells it from one that a rollout brought."""
    lines = story.lines("held again")
    assert lines.startswith("NOT STARTED  prod: 3 reasons; askflorence-prod-app:14 keeps running.\n")
    assert "raise rolloutRelease above 1 in a reviewed change" in lines


def test_a_raised_release_takes_the_hold_off(story: Story) -> None:
    assert None is story.found["released"][1].held


def test_a_destroy_is_refused_before_any_change_while_prod_reads_stagings_credential(story: Story) -> None:
    lines = story.lines("destroyed").splitlines()
    assert lines[0] == "NOT DESTROYED  staging: its credentials are still used, 1 reason."
    assert "prod still holds prod/mongodb/reference-uri-v2, which carries staging's credential" in lines[1]
    assert ("8", 0) == (story.found["destroyed"][0], story.runs["destroyed"].changes - 1)


def test_a_build_that_is_broken_on_the_new_revision_only_is_rolled_back_by_gate_3(
    story: Story, record_property: Callable[[str, str], None]
) -> None:
    first, changed, again, *_ = story.lines("broken").splitlines()
    assert changed.endswith(f"image of app: registry.example.com/askflorence/app:2026.5.7 to {BROKEN}")
    assert first.startswith("ROLLED BACK  staging: gate 3 providers/covered:")
    figures = re.fullmatch(
        r"  askflorence-staging-app:8 runs again, 2/2, since \d\d:\d\d:\d\d UTC \((\d+) s after the swap, "
        r"(\d+) s after the first bad answer\)\. Requests failed meanwhile on the balanced address: 0",
        again,
    )
    assert figures, again
    assert story.load is not None
    assert ([], True) == (story.load.failures, story.load.count > 0)
    assert ("8", 0) == (story.found["broken"][0], story.found["broken"][1].held)
    record_property(
        "says",
        f"rollout: {figures[2]} s from the first bad answer to the old revision serving alone, 0 of "
        f"{story.load.count} requests failed",
    )


def test_without_a_browser_a_first_provision_ends_with_seven_other_gates_and_says_so(story: Story) -> None:
    (line,) = [each for each in story.said["provision"] if each.startswith("gates on")]
    assert line.startswith(
        "gates on askflorence-staging-app:7: green; gate 6 browser journey: not run in this sandbox"
    )
    (judged,) = [each for each in story.said["staging bind"] if each.startswith("gates green on")]
    assert judged.endswith("by the rollout, after the last change")
