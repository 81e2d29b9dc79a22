"""The workflows: valid, pinned, with no more permission than they need, and running what the Makefile offers."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from atlas_access.cli.main import run

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = {
    "actions/create-github-app-token": ("1b10c78c7865c340bc4f6099eb2f838309f1e8c3", "v3.1.1"),
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    "aws-actions/configure-aws-credentials": ("e6de054238d6b7531b4efff3b6587d9aade6a06c", "v6.2.3"),
    "pulumi/actions": ("8e5e406f4007fca908480587cb9893c07090f58d", "v7.0.0"),
}
WRITES = {
    "ci": set(),
    "preview": {"id-token", "pull-requests"},
    "deploy": {"id-token", "issues"},
    "drift": {"id-token", "issues"},
    "rollback": {"id-token", "issues"},
    "guards": set(),
    "secrets": {"id-token"},
}
"""What each workflow may write: an OIDC token, a comment, an issue; never the contents."""


def loaded(workflow: Path) -> dict[str, Any]:
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [(w.stem, name, job) for w in WORKFLOWS for name, job in loaded(w)["jobs"].items()]


def commands() -> set[str]:
    return {step["run"] for _, _, job in jobs() for step in job["steps"] if "run" in step}


def targets() -> set[str]:
    return {command.split()[1] for command in commands()}


def recipe(target: str, **variables: str) -> str:
    given = [f"{name}={value}" for name, value in variables.items()]
    found = subprocess.run(
        ["make", "-n", "-o", ".venv/installed", target, *given],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return found.stdout


def test_every_workflow_is_listed() -> None:
    assert sorted(WRITES) == [workflow.stem for workflow in WORKFLOWS]


def test_every_workflow_is_valid_by_the_published_schema() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout + done.stderr


def test_every_action_is_pinned_by_the_commit_of_a_release() -> None:
    pinned = {
        (match["name"], match["commit"], match["release"])
        for workflow in WORKFLOWS
        for match in re.finditer(
            r"uses: (?P<name>\S+)@(?P<commit>\S+)(?: # (?P<release>\S+))?$",
            workflow.read_text(),
            re.MULTILINE,
        )
    }
    assert {(name, *pin) for name, pin in ACTIONS.items()} == pinned


def test_the_pulumi_cli_is_of_the_sdks_version() -> None:
    sdk = re.search(r"^pulumi==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert sdk is not None
    result = {
        step["with"]["pulumi-version"]
        for _, _, job in jobs()
        for step in job["steps"]
        if "pulumi/actions" in step.get("uses", "")
    }
    assert {sdk[1]} == result


def test_a_step_runs_one_make_target_and_nothing_else() -> None:
    odd = {each for each in commands() if not re.fullmatch(r"make [a-z-]+( STACK=\w+)?( >>\S+)?", each)}
    assert set() == odd


def test_every_target_is_in_the_makefile() -> None:
    assert set() == {target for target in targets() if not recipe(target)}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "target",
    sorted(
        {
            "guards",
            "guards-application",
            "docs-check",
            "drift",
            "prove",
            "policy",
            "secrets-check",
            "rollback",
            "watch-soak",
        }
    ),
)
def test_every_command_of_ours_in_a_recipe_is_one_that_the_tool_has(target: str) -> None:
    assert target in targets()
    for arguments in re.findall(r"bin/atlas-access (.*)", recipe(target)):
        words = arguments.split()
        verb = words[0]
        assert 0 == run([verb, "--help"])
        options = {word for word in words if word.startswith("--")}
        shown = subprocess.run(
            [sys.executable, "-m", "atlas_access.cli.main", verb, "--help"],
            cwd=ROOT, env={"PATH": "/usr/bin:/bin", "COLUMNS": "200"}, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert set() == {option for option in options if option not in shown}


def test_the_plan_that_is_applied_is_the_one_that_was_saved() -> None:
    saved = re.search(r"--save-plan (\S+)", recipe("preview", STACK="prod"))
    applied = re.search(r"--plan (\S+)", recipe("deploy", STACK="prod"))
    assert saved is not None
    assert applied is not None
    assert "plan-prod.json" == saved[1] == applied[1]
    assert all("--policy-pack policy" in recipe(target) for target in ("preview", "deploy"))


@pytest.mark.parametrize(
    ("failing", "ends"), [("", 0), ("up", 2), ("prove", 2), ("--before", 2), ("--format", 0)]
)
def test_a_deployment_ends_with_a_proof_and_new_drift(failing: str, ends: int, tmp_path: Path) -> None:
    """Each is run whatever the one before came to; what was found before the update fails nothing by itself."""
    for name in ("pulumi", "atlas-access"):
        script = tmp_path / name
        script.write_text(
            f'#!/bin/sh\necho {name} "$@" >>{tmp_path}/calls\ncase "$*" in *{failing or "nothing"}*) exit 1;; esac\n'
        )
        script.chmod(0o755)
    given = [f"BIN={tmp_path}", "STACK=none", f"PATH={tmp_path}:/usr/bin:/bin"]
    done = subprocess.run(
        ["make", "-s", "-f", ROOT / "Makefile", "-o", ".venv/installed", "deploy", *given],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    called = [" ".join(line.split()[:2]) for line in (tmp_path / "calls").read_text().splitlines()]
    expected = ["atlas-access drift", "pulumi up", "atlas-access prove", "atlas-access drift"]
    assert (ends, expected) == (done.returncode, called)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.stem)
def test_a_workflow_has_no_more_permission_than_it_needs(workflow: Path) -> None:
    document = loaded(workflow)
    assert {"contents": "read"} == document["permissions"]
    granted = [job.get("permissions", {}) for job in document["jobs"].values()]
    assert WRITES[workflow.stem] == {name for each in granted for name, may in each.items() if may == "write"}


@pytest.mark.parametrize("name", ["preview", "deploy", "drift"])
def test_a_value_that_a_rule_could_have_seen_fails_where_the_pack_runs(name: str) -> None:
    workflow = loaded(ROOT / f".github/workflows/{name}.yml")
    assert "fail" == workflow["env"]["ATLAS_ACCESS_POLICY_UNKNOWN"]


def test_the_deployed_state_is_judged_after_each_deployment_and_every_night() -> None:
    deploy, drift = (loaded(ROOT / f".github/workflows/{name}.yml")["jobs"] for name in ("deploy", "drift"))
    runs = [[step.get("run") for step in job["steps"]] for job in (deploy["staging"], deploy["prod"])]
    assert [True, True] == [steps.index("make policy") > steps.index("make deploy") for steps in runs]
    nightly = next(step for step in drift["drift"]["steps"] if step.get("run") == "make policy")
    assert "${{ !cancelled() }}" == nightly["if"]


def test_what_fails_at_night_or_on_the_way_to_prod_is_reported_in_an_issue() -> None:
    """Each job ends in a notification; the one of drift is silent on findings, which have an issue of their own."""
    for name in ("deploy", "drift", "rollback"):
        jobs_of = loaded(ROOT / f".github/workflows/{name}.yml")["jobs"]
        for job in (job for job_name, job in jobs_of.items() if job_name not in ("approve-prod", "report")):
            last = job["steps"][-1]
            assert ("make notify", True, "write") == (
                last["run"],
                last["if"].strip("(").startswith("failure() || cancelled()"),
                job["permissions"]["issues"],
            )
    drift = loaded(ROOT / ".github/workflows/drift.yml")["jobs"]["drift"]["steps"]
    checks = {step["id"] for step in drift if step.get("run", "").startswith("make ") and "id" in step}
    assert checks == set(re.findall(r"steps\.(\w+)\.", drift[-1]["if"]))
    assert 6 == sum(1 for step in drift if "run" in step)


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_drift_target_reports_its_answer_and_fails_as_the_command_does(code: int, tmp_path: Path) -> None:
    command = tmp_path / "bin" / "atlas-access"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\nexit {code}\n")
    command.chmod(0o755)
    outputs = tmp_path / "outputs"
    given = [f"BIN={command.parent}", f"GITHUB_OUTPUT={outputs}", "-o", ".venv/installed"]
    done = subprocess.run(["make", *given, "drift"], cwd=ROOT, capture_output=True, check=False)
    assert (code == 0, f"answer={code}\n") == (done.returncode == 0, outputs.read_text())


def test_no_long_lived_aws_key_is_used() -> None:
    text = "".join(workflow.read_text() for workflow in WORKFLOWS)
    assert not re.search(r"AWS_ACCESS_KEY|AWS_SECRET|aws-access-key", text)


def test_prod_waits_for_its_own_approval_and_a_rollback_for_none() -> None:
    deploy = loaded(ROOT / ".github/workflows/deploy.yml")["jobs"]
    places = {name: job.get("environment") for name, job in deploy.items()}
    expected = {
        "staging": "staging",
        "soak-staging": "staging-read",
        "plan-prod": "prod-read",
        "approve-prod": "prod-approval",
        "prod": "prod",
        "soak-prod": "prod-read",
    }
    assert expected | {"report": None} == places
    needs = [deploy[name].get("needs") for name in expected]
    assert [None, "staging", "soak-staging", "plan-prod", "approve-prod", "prod"] == needs
    rollback = loaded(ROOT / ".github/workflows/rollback.yml")["jobs"]["rollback"]
    assert "${{ inputs.stack }}-rollback" == rollback["environment"]


def test_a_pull_requests_code_runs_in_no_environment_of_the_checks_or_the_deployment() -> None:
    preview = {
        job.get("environment") for job in loaded(ROOT / ".github/workflows/preview.yml")["jobs"].values()
    }
    others = {
        job.get("environment", "no environment")
        for name in ("deploy", "drift", "rollback")
        for job in loaded(ROOT / f".github/workflows/{name}.yml")["jobs"].values()
    }
    assert ({None, "${{ matrix.stack }}-preview", "access-review"}, set()) == (preview, preview & others)


def test_no_expression_of_a_stranger_reaches_a_shell() -> None:
    assert set() == {command for command in commands() if "${{" in command}


def test_every_job_ends_in_time() -> None:
    assert [] == [f"{file}/{name}" for file, name, job in jobs() if job.get("timeout-minutes", 999) > 60]


@pytest.mark.skipif(shutil.which("jq") is None, reason="the recipe uses jq")
@pytest.mark.parametrize(("series", "newest"), [("7.0", "7.0.14"), ("current", "10.0.1")])
@pytest.mark.parametrize("listed", [True, False])
def test_a_downloaded_server_is_used_only_with_the_checksum_that_mongodb_lists(
    series: str, newest: str, listed: bool, tmp_path: Path
) -> None:
    server = tmp_path / "mongodb" / "bin" / "mongod"
    server.parent.mkdir(parents=True)
    server.write_text("a server")
    subprocess.run(["tar", "-czf", "archive", "mongodb"], cwd=tmp_path, check=True)
    digest = hashlib.sha256((tmp_path / "archive").read_bytes()).hexdigest() if listed else "0" * 64
    build = {"target": "ubuntu2204", "arch": "x86_64", "edition": "targeted"}
    releases = [
        {
            "version": version,
            "production_release": final,
            "downloads": [
                {"target": "macos", "arch": "arm64", "edition": "base"},
                {**build, "archive": {"url": version, "sha256": digest}},
            ],
        }
        for version, final in (("7.0.9", True), ("10.0.1", True), ("7.0.14", True), ("10.1.0-rc0", False))
    ]
    (tmp_path / "releases").write_text(json.dumps({"versions": releases}))
    scripts = {
        "curl": f'case "$6" in *.json) cp {tmp_path}/releases "$5";; {newest}) cp {tmp_path}/archive "$5";; esac',
        "tests": 'cat "$MONGOD" && echo " is tested by $1"',
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    given = [f"SERIES={series}", f"PYTEST={tmp_path}/tests", "-o", ".venv/installed"]
    done = subprocess.run(
        ["make", "-s", *given, "harmless"],
        cwd=ROOT, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    tested = "a server is tested by tests/sandbox/test_proof_harmless.py\n"
    assert (listed, listed) == (done.returncode == 0, done.stdout == tested), done.stderr


def test_the_review_is_asked_only_where_access_widens_and_never_counts_as_skipped() -> None:
    preview = loaded(ROOT / ".github/workflows/preview.yml")["jobs"]
    assert "needs.compare.outputs.answer == '1'" == preview["approval"]["if"]
    assert ("always()", ["compare", "approval"]) == (preview["review"]["if"], preview["review"]["needs"])
    assert ["compare", "preview"] == preview["comment"]["needs"]
    assert preview["comment"]["if"].startswith("${{ !cancelled() &&")


class Queue:
    """GitHub's rule for concurrency groups: one job runs, one waits, and a newer one takes the waiting one's place."""

    def __init__(self) -> None:
        self.running: dict[str, str] = {}
        self.waiting: dict[str, str] = {}
        self.cancelled: list[str] = []

    def start(self, run: str, job: str) -> bool:
        """Whether a job of the deployment starts at once."""
        group = loaded(ROOT / ".github/workflows/deploy.yml")["jobs"][job].get("concurrency", {}).get("group")
        if group is None or group not in self.running:
            self.running[group or f"{run}/{job}"] = run
            return True
        if group in self.waiting:
            self.cancelled.append(self.waiting[group])
        self.waiting[group] = run
        return False

    def end(self, run: str, job: str) -> None:
        group = loaded(ROOT / ".github/workflows/deploy.yml")["jobs"][job].get("concurrency", {}).get("group")
        self.running.pop(group or f"{run}/{job}")
        if group in self.waiting:
            self.running[group] = self.waiting.pop(group)


def test_an_approval_that_waits_holds_nothing_and_a_replaced_run_reports_itself() -> None:
    """Run 1 waits for its approval while run 2, an urgent rotation, is deployed; run 4 takes the place of run 3."""
    queue = Queue()
    for waiting in ("1", "2"):
        for job in ("staging", "plan-prod"):
            assert queue.start(waiting, job)
            queue.end(waiting, job)
        assert queue.start(waiting, "approve-prod")
    queue.end("2", "approve-prod")
    assert queue.start("2", "prod")
    queue.end("1", "approve-prod")
    assert not queue.start("1", "prod")
    queue.end("2", "prod")
    assert ("1", []) == (queue.running["deploy-prod"], queue.cancelled)
    assert [True, False, False] == [queue.start(each, "staging") for each in ("2", "3", "4")]
    assert ["3"] == queue.cancelled
    report = loaded(ROOT / ".github/workflows/deploy.yml")["jobs"]["report"]
    assert ("always() && contains(needs.*.result, 'cancelled')", "make notify") == (
        report["if"],
        report["steps"][-1]["run"],
    )
    jobs_of_run = set(loaded(ROOT / ".github/workflows/deploy.yml")["jobs"])
    assert jobs_of_run - {"report"} == set(report["needs"])


def test_no_workflow_but_a_pull_requests_own_holds_a_group_for_all_its_jobs() -> None:
    held = {workflow.stem: loaded(workflow).get("concurrency", {}).get("group", "") for workflow in WORKFLOWS}
    assert {"deploy": "", "drift": ""} == {name: held[name] for name in ("deploy", "drift")}
    assert "rollback-${{ inputs.stack }}" == held["rollback"]
    assert all("github.ref" in held[name] for name in ("ci", "preview"))
