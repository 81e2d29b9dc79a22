"""What the pack said of a deployment: read from an engine's words, shown in brief, and counted as a refusal."""

import json

import pytest

from atlas_access.base import Finding, Status
from atlas_access.review import deployment_json
from atlas_access.review.deployment import Deployment, Operation, Progress, Proof
from atlas_access.review.deployment_text import failure_lines
from atlas_access.review.policy import advice_lines, refusal_lines, said_by_pack
from sandbox.engine.cli_events import hand_on
from sandbox.engine.recorder import Recorder

TEXT = "At most five users (ADR 0006)\nDatabaseUser u6: is user 6 of 5.\nRemedy: Remove one. (ADR 0006)\n"
URN = "urn:pulumi:staging::atlas-access::mongodbatlas:index/databaseUser:DatabaseUser::u6"


def deployment(*policies: Finding, failure: str = "refused", proofs: tuple[Proof, ...] = ()) -> Deployment:
    return Deployment(
        "staging", "bind", Operation.UP, "embedded", 1.0, (), proofs, failure=failure, policies=policies
    )


def unobserved(name: str, policy: str = "known-after-creation") -> Finding:
    return said_by_pack(policy, "advisory", name, f"Values\n{name}: password is not known before creation")


def test_a_violation_is_read_from_the_description_the_message_and_the_remedy() -> None:
    found = said_by_pack("user-cap", "mandatory", "u6", TEXT, severity="high")
    assert (
        Finding(
            status=Status.BAD,
            subject="u6",
            message="DatabaseUser u6: is user 6 of 5.",
            remedy="Remove one. (ADR 0006)",
            code="user-cap",
            details=(("Severity", "high"),),
        )
        == found
    )


@pytest.mark.parametrize("policy", ["user-cap", "user-cap-advisory", "user-cap-stack"])
def test_a_rule_keeps_its_name_whatever_part_of_it_speaks(policy: str) -> None:
    assert "user-cap" == said_by_pack(policy, "advisory", "u5", TEXT).code


@pytest.mark.parametrize("policy", ["known-after-creation", "not-evaluated-stack"])
def test_what_was_not_judged_is_unknown(policy: str) -> None:
    assert Status.UNKNOWN is unobserved("app_read", policy).status


def test_a_pack_that_says_one_line_is_understood() -> None:
    assert "nothing may be evil" == said_by_pack("no-evil", "mandatory", "a", "nothing may be evil").message


def test_a_refusal_says_the_rule_the_command_that_explains_it_and_the_remedy() -> None:
    assert (
        "REFUSED  staging bind: DatabaseUser u6: is user 6 of 5.",
        "  Rule user-cap   (atlas-access explain user-cap)",
        "  Remedy: Remove one. (ADR 0006)",
    ) == refusal_lines("staging bind", [said_by_pack("user-cap", "mandatory", "u6", TEXT)])


def test_advice_is_a_line_for_each_rule_with_the_names_of_the_others() -> None:
    said = [
        said_by_pack("secret-protected-advisory", "advisory", name, f"d\n{name} is open.") for name in "abc"
    ]
    assert (
        "  Advice: a is open. The same: b, c.   (atlas-access explain secret-protected)",
    ) == advice_lines(said)


def test_what_is_judged_later_is_one_line_of_names() -> None:
    assert (
        "  These values do not exist yet; the policies check them during the update: app_read, app_write",
    ) == advice_lines([unobserved("app_write"), unobserved("app_read"), unobserved("app_read")])


def test_what_could_have_been_known_is_reported_by_name() -> None:
    (line,) = advice_lines([unobserved("app_read", "not-evaluated")])
    assert "  Not evaluated: app_read: password is not known before creation" == line


def test_a_refused_deployment_fails_with_the_refusal_first_and_says_what_runs() -> None:
    refused = deployment(said_by_pack("user-cap", "mandatory", "u6", TEXT))
    lines = failure_lines(refused)
    assert (1, True) == (refused.exit_code, lines[0].startswith("REFUSED  staging bind: "))
    assert "  Then run again: atlas-access sandbox deploy staging --phase bind" == lines[-1]


def test_advice_alone_is_no_refusal() -> None:
    assert not deployment(said_by_pack("user-cap-advisory", "advisory", "u5", TEXT), failure="").refused


def test_json_carries_every_finding() -> None:
    answer = json.loads(deployment_json.render(deployment(said_by_pack("user-cap", "mandatory", "u6", TEXT))))
    (found,) = answer["policies"]
    shown = (found["code"], found["status"], found["subject"], found["remedy"])
    assert ("user-cap", "bad", "u6", "Remove one. (ADR 0006)") == shown


def test_the_clis_policy_event_is_recorded_once_redacted_and_not_shown_while_running() -> None:
    lines: list[Progress] = []
    recorder = Recorder(lines.append, preview=False, secrets=("canary-pass",))
    event = {
        "policyEvent": {
            "resourceUrn": URN,
            "message": f"<{{%reset%}}>{TEXT.replace('u6:', 'canary-pass:')}<{{%reset%}}>",
            "policyName": "user-cap",
            "enforcementLevel": "mandatory",
            "severity": "high",
        }
    }
    hand_on(event, recorder)
    hand_on(event, recorder)
    (found,) = recorder.policies
    said = (found.subject, found.detail("Severity"), "canary-pass" in found.message, lines)
    assert ("u6", "high", False, []) == said
