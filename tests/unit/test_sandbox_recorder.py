"""Events of either engine become the same steps: replacements reported once, secrets masked, errors each once."""

from typing import Any

import pytest

from atlas_access.review.deployment import Change, Moment, Progress
from sandbox.engine.cli_events import SIGNATURE, UNKNOWN, hand_on, shown
from sandbox.engine.recorder import Recorder

URN = "urn:pulumi:staging::atlas-access::atlas-access:index:ServiceAccess$aws:secretsmanager/secret:Secret::app-read-v2"
SECRET = "aws:secretsmanager/secret:Secret"


def event(kind: str, operation: str, **metadata: Any) -> dict[str, Any]:
    return {kind: {"metadata": {"op": operation, "type": SECRET, "urn": URN, **metadata}}}


def record(*events: dict[str, Any], preview: bool = False) -> tuple[Recorder, list[Progress]]:
    progress: list[Progress] = []
    recorder = Recorder(progress.append, preview=preview, secrets=("canary-pass",))
    for each in events:
        hand_on(each, recorder)
    return recorder, progress


def test_a_step_that_began_and_ended_is_one_step_with_its_properties() -> None:
    new = {"inputs": {"name": "staging/mongodb/app-read-v2", "__defaults": []}}
    recorder, progress = record(
        event("resourcePreEvent", "create", new=new), event("resOutputsEvent", "create")
    )
    (step,) = recorder.steps
    assert ("create", "app-read-v2", False) == (step.operation, step.name, step.failed)
    assert (Change("name", None, "staging/mongodb/app-read-v2"),) == step.changes
    assert [Moment.BEGUN, Moment.DONE] == [each.moment for each in progress]


@pytest.mark.parametrize("preview", [True, False])
def test_a_replacement_is_one_step_with_its_changes(preview: bool) -> None:
    kinds = ["create-replacement", "replace", "delete-replaced"]
    sides = {"old": {"inputs": {"key": "a"}}, "new": {"inputs": {"key": "b"}}, "diffs": ["key"]}
    events = [
        event(form, kind, **sides) for kind in kinds for form in ("resourcePreEvent", "resOutputsEvent")
    ]
    recorder, _ = record(*events, preview=preview)
    assert [("replace", (Change("key", "a", "b"),))] == [(s.operation, s.changes) for s in recorder.steps]


def test_a_changed_secret_is_shown_as_one() -> None:
    sides = {side: {"inputs": {"password": "[secret]"}} for side in ("old", "new")}
    recorder, _ = record(event("resourcePreEvent", "update", diffs=["password"], **sides), preview=True)
    assert (Change("password", "[secret]", "[secret]"),) == recorder.steps[0].changes


def test_a_preview_lists_what_would_be_done_in_a_fixed_order() -> None:
    first = event("resourcePreEvent", "create")
    second = event("resourcePreEvent", "create", urn=URN.replace("app-read", "a"))
    assert ["a-v2", "app-read-v2"] == [step.name for step in record(first, second, preview=True)[0].steps]
    assert ["a-v2", "app-read-v2"] == [step.name for step in record(second, first, preview=True)[0].steps]


@pytest.mark.parametrize(
    "kind", ["pulumi:pulumi:Stack", "pulumi:providers:aws", "atlas-access:index:ClusterAccess"]
)
def test_components_and_providers_are_no_steps(kind: str) -> None:
    recorder, progress = record(
        event("resourcePreEvent", "create", type=kind), event("resOutputsEvent", "create", type=kind)
    )
    assert ((), []) == (recorder.steps, progress)


def test_a_failed_step_is_reported_as_failed() -> None:
    recorder, progress = record(event("resourcePreEvent", "create"), event("resOpFailedEvent", "create"))
    assert recorder.steps[0].failed
    assert Moment.FAILED is progress[-1].moment


def test_the_end_of_a_rollout_is_kept_apart_without_the_name_of_its_exception() -> None:
    urn = "urn:pulumi:staging::atlas-access::x$pulumi-python:dynamic/rollout:Rollout::app"
    raised = (
        "app: update failed: atlas_access.rollout.report.RolloutFailed: ROLLED BACK  staging: gate 3\n  app:7"
    )
    recorder, _ = record(
        {"diagnosticEvent": {"severity": "error", "message": raised, "urn": urn}},
        {"diagnosticEvent": {"severity": "error", "message": "update failed", "urn": ""}},
    )
    assert (["ROLLED BACK  staging: gate 3\n  app:7"], ["update failed"]) == (recorder.ends, recorder.errors)


def test_an_error_is_kept_once_without_colours_and_secrets() -> None:
    said = {"diagnosticEvent": {"severity": "error", "message": "<{%reset%}>bad canary-pass<{%reset%}>\n"}}
    recorder, progress = record(said, said)
    assert 1 == len(recorder.errors)
    assert "canary-pass" not in recorder.errors[0]
    assert "<{%" not in recorder.errors[0]
    assert [] == progress


@pytest.mark.parametrize(("ephemeral", "expected"), [(True, Moment.PASSING), (False, Moment.SAID)])
def test_a_message_is_reported_as_passing_or_lasting(ephemeral: bool, expected: Moment) -> None:
    body = {"severity": "info", "message": "100 of 621 attempts", "urn": URN, "ephemeral": ephemeral}
    _, progress = record({"diagnosticEvent": body})
    assert [(expected, "app-read-v2")] == [
        (each.moment, each.step.name if each.step else "") for each in progress
    ]


def test_an_unknown_event_is_passed_over() -> None:
    recorder, progress = record({"startDebuggingEvent": {}}, {})
    assert ((), [], []) == (recorder.steps, recorder.errors, progress)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("x", "x"),
        ({SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "AAEC"}, "[secret]"),
        ([{"a": {SIGNATURE: "1", "plaintext": "p"}, "__defaults": []}], '[{"a": "[secret]"}]'),
        (UNKNOWN, "(known afterwards)"),
        ({"arn": UNKNOWN}, '{"arn": "(known afterwards)"}'),
    ],
)
def test_values_are_shown_without_secrets_and_marks(value: object, expected: str | None) -> None:
    assert expected == shown(value)


def test_an_update_shows_only_what_differs_by_its_path() -> None:
    old = {"inputs": {"roles": [{"roleName": "read"}], "scopes": []}}
    new = {"inputs": {"roles": [{"roleName": "readWrite"}], "scopes": []}}
    detailed = {"roles[0].roleName": {"diffKind": "update"}, "scopes": {"diffKind": "update"}}
    recorder, _ = record(
        event("resourcePreEvent", "update", old=old, new=new, detailedDiff=detailed), preview=True
    )
    assert (Change("roles[0].roleName", "read", "readWrite"),) == recorder.steps[0].changes
