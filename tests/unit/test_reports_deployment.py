"""A deployment's story: its lines, its exit code, and that JSON can be read back as evidence."""

import json

import pytest

from atlas_access.base import Finding, Status
from atlas_access.proof.report import Standing
from atlas_access.review import advice_lines, deployment_json, evidence
from atlas_access.review.deployment import Change, Deployment, Moment, Operation, Progress, Proof, Step, Swap
from atlas_access.review.deployment_text import failure_lines, plan_lines, progress_line, summary_line
from atlas_access.review.matrix import Observation
from tests.unit.manifests import manifest

USER = "mongodbatlas:index/databaseUser:DatabaseUser"
PROOF = "pulumi-python:dynamic/probe:PrivilegeProof"


def proof(verdict: str = "proven", reason: str = "", **changes: object) -> Proof:
    values: dict[str, object] = {
        "name": "audit-write",
        "user": "app_audit_writer",
        "environment": "staging",
        "cluster": "staging",
        "verdict": verdict,
        "reason": reason,
        "attempts": 53,
        "inconclusive": 0,
        "residue": 0,
        "proven_at": "2026-05-12T09:14:00Z",
        "live": Standing.YES,
    }
    return Proof(**(values | changes))  # type: ignore[arg-type]


def deployment(**changes: object) -> Deployment:
    values: dict[str, object] = {
        "stack": "staging",
        "phase": "provision",
        "operation": Operation.UP,
        "engine": "embedded",
        "seconds": 8.1,
        "steps": (Step("create", USER, "app_read"), Step("same", USER, "app_write")),
    }
    return Deployment(**(values | changes))  # type: ignore[arg-type]


RECORD = "on record since 2026-05-12 09:14 UTC, not asked now"
READER = {"name": "app-read-v2", "user": "app_read"}


@pytest.mark.parametrize(
    ("operation", "made", "ends"),
    [
        ("up", ["audit-write", "app-read-v2"], ""),
        ("up", ["audit-write"], f", 2 {RECORD}"),
        ("up", [], f", {RECORD}"),
        ("preview", ["audit-write", "app-read-v2"], f", {RECORD}"),
    ],
)
def test_the_summary_says_which_users_are_proven_and_since_when_nobody_asked(
    operation: str, made: list[str], ends: str
) -> None:
    steps = (Step("create", USER, "app_read"), *(Step("update", PROOF, each) for each in made))
    found = deployment(
        operation=Operation(operation),
        steps=steps,
        proofs=(proof(), proof(**READER), proof(**READER, cluster="prod"), proof("refuted", user="gone")),
        declared=("app_audit_writer", "app_read", "app_write"),
    )
    counts = "proofs 3/4 proven, 2 of 3 declared users (212 attempts, 0 inconclusive, residue 0)"
    assert counts + ends == found.proof_line


def test_a_user_counts_as_proven_only_with_every_version_on_the_stacks_own_cluster() -> None:
    users = ("app_audit_writer", "app_read")
    several = (proof(), proof("refuted"), proof(**READER, cluster="prod"))
    assert (
        "proofs 2/3 proven, 0 of 2 declared users (" in deployment(proofs=several, declared=users).proof_line
    )


def test_the_summary_says_stack_phase_counts_time_and_proofs() -> None:
    line = summary_line(deployment(proofs=(proof(),), declared=("app_audit_writer",)))
    assert " ".join(line.split()).startswith("staging provision 1 created 8.1 s proofs 1/1 proven, 1 of 1")


def test_the_summary_of_a_move_says_from_where_to_where() -> None:
    swap = Swap("askflorence-staging-app:7", "askflorence-staging-app:8", 2, 2)
    line = summary_line(deployment(phase="bind", swap=swap, proofs=(proof(),)))
    assert line.endswith("askflorence-staging-app:7 → :8 running 2/2")


@pytest.mark.parametrize(
    ("operations", "preview", "expected"),
    [
        (["same", "read"], False, "no changes"),
        (["create", "create", "update", "import"], False, "2 created, 1 updated, 1 adopted"),
        (["create", "replace", "delete"], True, "1 to create, 1 to replace, 1 to delete"),
    ],
)
def test_counts_are_in_words(operations: list[str], preview: bool, expected: str) -> None:
    steps = tuple(Step(each, USER, f"user{number}") for number, each in enumerate(operations))
    operation = Operation.PREVIEW if preview else Operation.UP
    assert expected == deployment(steps=steps, operation=operation).counted


def test_a_failed_step_is_not_counted_as_done() -> None:
    assert "no changes" == deployment(steps=(Step("create", USER, "app_read", failed=True),)).counted


@pytest.mark.parametrize(
    ("verdicts", "failure", "expected"),
    [
        (["proven"], "", 0),
        (["proven"], "Atlas answered 503", 1),
        (["refuted", "inconclusive"], "refuted", 1),
        (["proven", "inconclusive"], "inconclusive", 3),
    ],
)
def test_the_exit_code_is_that_of_the_house(verdicts: list[str], failure: str, expected: int) -> None:
    assert expected == deployment(proofs=tuple(map(proof, verdicts)), failure=failure).exit_code


def test_a_refuted_proof_says_what_was_found_what_runs_and_the_remedy() -> None:
    refuted = proof("refuted", "can change documents: UPDATE on a.b\nupdate on a.b: allowed")
    result = deployment(proofs=(refuted,), failure=refuted.reason, keeps_running="askflorence-staging-app:7")
    assert (
        "REFUTED  app_audit_writer on the staging cluster (audit-write): can change documents: UPDATE on a.b",
        "  update on a.b: allowed",
        "  Nothing was swapped: askflorence-staging-app:7 keeps running.",
        "  Remedy: restore in Atlas what access.yaml declares, or change access.yaml; then run again:",
        "    atlas-access sandbox deploy staging --phase provision",
    ) == failure_lines(result)


def test_after_a_swap_a_failure_does_not_claim_that_nothing_was_swapped() -> None:
    moved = Step("create", "pulumi-python:dynamic/rollout:Rollout", "app", failed=True)
    lines = failure_lines(deployment(steps=(moved,), failure="undone", keeps_running="app:7"))
    assert "  The service runs app:7." in lines


def test_a_failure_without_a_proof_says_its_cause_first() -> None:
    lines = failure_lines(deployment(failure="Atlas answered 503\nnothing was created"))
    assert ("FAILED  staging provision: Atlas answered 503", "  nothing was created") == lines[:2]


def test_the_end_of_a_rollout_is_reported_in_its_own_message_and_once() -> None:
    end = "ROLLED BACK  staging: gate 3\napp:7 runs again, 2/2\nNext: atlas-access prove staging"
    lines = failure_lines(deployment(failure=end, keeps_running="app:7"))
    undone = ("ROLLED BACK  staging: gate 3", "  app:7 runs again, 2/2")
    assert (*undone, "  Next: atlas-access prove staging") == lines


def test_the_plan_shows_changed_properties_before_and_after() -> None:
    step = Step(
        "update", USER, "app_read", (Change("roles", "read", "readWrite"), Change("labels", None, "x"))
    )
    assert ["~ update mongodbatlas DatabaseUser app_read", "~ roles: read → readWrite", "+ labels: x"] == [
        " ".join(line.split()) for line in plan_lines(deployment(steps=(step,)))
    ]


def test_the_plan_lists_what_is_new_in_one_line_unless_asked_for_more() -> None:
    step = Step("create", USER, "app_read", (Change("username", None, "app_read"),))
    assert 1 == len(plan_lines(deployment(steps=(step,)), values=False))
    assert 2 == len(plan_lines(deployment(steps=(step,)), values=True))


def test_the_plan_leaves_out_what_does_not_change() -> None:
    assert 1 == len(plan_lines(deployment()))


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (Progress(Moment.BEGUN, Step("create", USER, "app_read")), ""),
        (Progress(Moment.DONE, Step("same", USER, "app_read")), ""),
        (Progress(Moment.PASSING, Step("same", PROOF, "x"), "100 of 621 attempts"), ""),
        (
            Progress(Moment.DONE, Step("create", USER, "app_read", seconds=0.31)),
            "+ mongodbatlas DatabaseUser app_read created 0.3 s",
        ),
        (Progress(Moment.FAILED, Step("create", PROOF, "x")), "+ PrivilegeProof x FAILED"),
        (Progress(Moment.SAID, None, "a word"), "a word"),
    ],
)
def test_progress_is_one_line_or_none(progress: Progress, expected: str) -> None:
    assert expected == " ".join(progress_line(progress).split())


def test_json_reads_back_as_the_evidence_of_its_proofs() -> None:
    written = deployment_json.render(deployment(proofs=(proof(), proof("refuted", "can UPDATE"))))
    assert (
        Observation(
            "app_audit_writer",
            "staging",
            Standing.YES,
            Standing.YES,
            53,
            "",
            "2026-05-12T09:14:00Z",
            "staging/audit-write",
        ),
        Observation(
            "app_audit_writer",
            "staging",
            Standing.YES,
            Standing.NO,
            53,
            "can UPDATE",
            "2026-05-12T09:14:00Z",
            "staging/audit-write",
        ),
    ) == evidence.observations(written, "e.json")


def test_several_deployments_are_evidence_in_their_order() -> None:
    runs = [deployment_json.document(deployment(proofs=(proof(user=name),))) for name in ("a", "b")]
    assert ["a", "b"] == [each.user for each in evidence.observations(json.dumps(runs), "e.json")]


def test_json_carries_what_the_text_says() -> None:
    swap = Swap("app:7", "app:8", 2, 2)
    document = deployment_json.document(deployment(swap=swap, failure="x", keeps_running="app:7"))
    assert ("failed", "x", "app:7", "app:8", 1) == (
        document["result"],
        document["failure"],
        document["keepsRunning"],
        document["swap"]["after"],
        document["changes"],
    )


ROLE = "mongodbatlas:index/customDbRole:CustomDbRole"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


def actions(**grants: list[str]) -> str:
    return json.dumps(
        [
            {
                "action": action,
                "resources": [{"collectionName": name, "databaseName": "askflorence"} for name in names],
            }
            for action, names in grants.items()
        ]
    )


def changed(
    operation: str, kind: str, name: str, path: str, before: object = None, after: object = None
) -> Step:
    """A step with one property changed, as an engine shows it."""
    old, new = (
        each if each is None or isinstance(each, str) else json.dumps(each) for each in (before, after)
    )
    return Step(operation, kind, name, (Change(path, old, new),))


LOG = actions(FIND=["agent_audit_log"], INSERT=["agent_audit_log"])
BEFORE = actions(FIND=["hubspot_sync_log"], DROP_INDEX=["hubspot_sync_log"])
AFTER = actions(FIND=["hubspot_sync_log"], INSERT=["agents", "agencies", "agent_sessions", "admins"])
READ, WRITE = ([{"roleName": role, "databaseName": "askflorence"}] for role in ("read", "readWrite"))
BOX = [
    {"name": "app", "secrets": [{"name": "MONGODB_URI", "valueFrom": "x"}, {"name": "Z", "valueFrom": "x"}]}
]
GATES = "atlas-access:x:Gates"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (
            changed("update", ROLE, "role_admin_schema", "actions", BEFORE, AFTER),
            "gains INSERT on admins, agencies, agent_sessions and agents (pii)"
            " | loses DROP_INDEX on hubspot_sync_log (pii)",
        ),
        (
            changed("create", ROLE, "role_audit_writer", "actions", None, LOG),
            "may FIND, INSERT on agent_audit_log (pii)",
        ),
        (
            changed("delete", ROLE, "role_old", "actions", actions(FIND=["plans"])),
            "loses FIND on plans (public)",
        ),
        (
            changed("create", USER, "app_read", "roles", None, READ),
            "role read@askflorence: FIND on every collection of askflorence (pii, public)",
        ),
        (
            Step("create", USER, "app_read_b"),
            "role read@askflorence: FIND on every collection of askflorence (pii, public)",
        ),
        (
            changed("update", USER, "app_old", "roles", READ, WRITE),
            "role read@askflorence → readWrite@askflorence",
        ),
        (
            changed("create", TASK, "app", "containerDefinitions", None, BOX),
            "app receives MONGODB_URI (app_read)",
        ),
        (
            changed("update", GATES, "g", "settings", {"phase": "bind", "x": "y" * 200}, {"x": "y" * 200}),
            "~ settings.phase removes bind",
        ),
        (
            changed("update", GATES, "g", "list", None, ["x" * 60] * 3),
            "+ list: 3 entries; --json shows all",
        ),
    ],
    ids=[
        "role",
        "new role",
        "role gone",
        "user",
        "second name",
        "user's role",
        "binding",
        "document",
        "list",
    ],
)
def test_a_plan_says_what_changes_in_access_and_cuts_no_document(step: Step, expected: str) -> None:
    found = plan_lines(
        deployment(operation=Operation.PREVIEW, steps=(step,), manifest=manifest()), values=False
    )
    assert expected == " | ".join(line.strip() for line in found[1:])


@pytest.mark.parametrize("kind", [ROLE, USER, TASK])
@pytest.mark.parametrize("path", ["actions", "roles", "containerDefinitions"])
@pytest.mark.parametrize(
    "value",
    [
        "[unknown]",
        "[secret]",
        [],
        ["x"],
        [{"action": "NEW", "resources": [{"cluster": True}]}],
        {"a": 1},
        [{}],
    ],
    ids=str,
)
def test_a_value_that_is_not_known_yet_or_odd_breaks_no_plan(kind: str, path: str, value: object) -> None:
    for before, after in ((None, value), (value, None), (value, [])):
        step = changed("update", kind, "app_read", path, before, after)
        found = deployment(operation=Operation.PREVIEW, steps=(step,), manifest=manifest())
        assert plan_lines(found, values=True)


def test_a_constant_advice_is_one_short_line() -> None:
    long = Finding(Status.GOOD, "app_write", "may " + "X, " * 60, code="audit-log-append-only")
    expected = "  Advice: app_write: known and accepted.   (atlas-access explain audit-log-append-only)"
    assert (expected,) == advice_lines((long,))
