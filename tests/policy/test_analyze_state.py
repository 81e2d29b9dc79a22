"""An exported deployment is judged like a running one, and its secrets are reported as not evaluated."""

import json

import pytest
from policy_world import compliant_stack, handed, task, user

from policy.analyze_state import StateInvalid, analyze_state
from policy.catalogue import CATALOGUE, explain

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "c2VjcmV0"}


def entry(resource, **more):
    resource = handed(resource)
    return {
        "urn": resource.urn,
        "type": resource.type,
        "inputs": dict(resource.props),
        "outputs": dict(resource.props),
        "protect": resource.protect,
        "ignoreChanges": list(resource.ignore_changes),
        "dependencies": list(resource.dependencies),
        "parent": resource.parent,
        **more,
    }


def exported(*entries, version=3):
    return json.dumps({"version": version, "deployment": {"resources": list(entries)}})


def stored(resource):
    """As an engine stores it: what is secret is encrypted."""
    hidden = {"password": SECRET, "secretString": SECRET}
    props = {key: hidden.get(key, value) for key, value in resource.props.items()}
    return entry(resource, inputs=props, outputs=props)


@pytest.mark.parametrize("version", [3, 4])
def test_our_own_stack_has_nothing_but_the_waivers_advice(law, version):
    report = analyze_state(exported(*map(stored, compliant_stack()), version=version), law)

    assert ("bind", (), {"audit-log-append-only"}) == (
        report.phase,
        report.violations,
        {finding.rule for finding in report.findings},
    )


@pytest.mark.parametrize("value", [SECRET, "[secret]"])
def test_a_secret_value_is_reported_as_not_evaluated(law, value):
    inputs = {**user().props, "password": value}

    report = analyze_state(exported(entry(user(), inputs=inputs, outputs=inputs)), law)

    assert [("password-strength", "app_read", "password")] == [
        (item.rule, item.name, item.path) for item in report.not_evaluated
    ]


def test_a_wider_user_is_found(law):
    report = analyze_state(exported(entry(user(role="dbOwner"))), law)

    assert [("users-by-law", "app_read")] == [(f.rule, f.subject) for f in report.violations]


def test_an_output_that_is_handed_on_in_plain_text_is_found(law):
    root = entry(compliant_stack()[0])
    plain = {**root, "outputs": {"referenceConnection": "mongodb+srv://app_read:Zu7canary9@host/askflorence"}}
    hidden = {**root, "outputs": {"referenceConnection": SECRET}}

    assert [["no-plaintext-uri"], []] == [
        [found.rule for found in analyze_state(exported(each), law).violations] for each in (plain, hidden)
    ]


def test_a_state_without_a_phase_says_so(law):
    report = analyze_state(exported(entry(task())), law)

    assert ("additive-provision", "phase") in {(item.rule, item.path) for item in report.not_evaluated}


def test_the_phase_may_be_given(law):
    report = analyze_state(exported(entry(task())), law, phase="provision")

    assert "additive-provision" in {finding.rule for finding in report.violations}


def test_a_resource_that_waits_for_its_deletion_is_not_judged(law):
    assert analyze_state(exported(entry(user(role="root"), delete=True)), law).resources == 0


def test_an_empty_stack_is_clean(law):
    assert analyze_state('{"version": 3, "deployment": {}}', law).findings == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 2}',
        '{"version": 5, "deployment": {"resources": []}}',
        '{"version": 3}',
        '{"version": 3, "deployment": []}',
        '{"version": 3, "deployment": {"resources": 7}}',
        '{"version": 3, "deployment": {"resources": [7]}}',
        '{"version": 3, "deployment": {"resources": [{"urn": 1}]}}',
        "[" * 100_000,
    ],
)
def test_a_file_that_is_no_export_is_refused_in_plain_words(law, text):
    with pytest.raises(StateInvalid, match="the state"):
        analyze_state(text, law)


def test_every_rule_can_be_explained():
    lacking = [
        name
        for name, rule in CATALOGUE.items()
        if not (
            rule.why
            and rule.source
            and rule.offending
            and rule.compliant
            and rule.frameworks
            and (rule.check or rule.check_stack)
        )
    ]

    assert (24, []) == (len(CATALOGUE), lacking)


@pytest.mark.parametrize("name", ["user-cap", "user-cap-advisory", "proof-before-bind-stack"])
def test_a_rule_is_found_by_the_name_that_an_engine_reports(name):
    assert explain(name).name in name


def test_what_is_no_rule_is_not_explained():
    assert explain("no-such-rule") is None
