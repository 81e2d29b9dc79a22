"""The corpus: each sentence of docs/policies.md is held by programs that break it and by compliant twins."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from policy_changes import changed, changed_law
from policy_world import (
    FAMILY,
    KEY_ARN,
    LAW,
    PROJECT_ID,
    arn,
    compliant_stack,
    evidence,
    judge,
    make,
    ours,
    password_of,
    pinned,
    unobserved,
    uri_of,
    version_of,
    violations,
)

from policy.evaluate import Evaluator
from policy.rules import RULES
from policy.run import Phase, Run
from policy.values import UNKNOWN

HERE = Path(__file__).parent / "corpus"
FILLED = {"arn": arn, "pin": pinned, "version": version_of, "uri": uri_of, "password": password_of}
FILLED |= {"key": lambda: KEY_ARN, "evidence": lambda: json.dumps(evidence())}
PLACE = re.compile(rf"<({'|'.join(FILLED)})((?: [^ >]+)*)>")


def filled(value):
    if isinstance(value, str):
        return PLACE.sub(
            lambda found: (
                FILLED[found[1]](*found[2].split()) if found[1] != "password" or found[2] else found[0]
            ),
            value,
        )
    if isinstance(value, dict):
        return {filled(key): filled(item) for key, item in value.items()}
    return [filled(item) for item in value] if isinstance(value, list) else value


def read(name):
    return filled(yaml.load((HERE / name).read_text(encoding="utf-8"), yaml.CSafeLoader))


CORPUS = {
    rule: cases
    for name in ("database.yaml", "credentials.yaml", "access.yaml")
    for rule, cases in read(name).items()
}
HARMLESS = read("harmless.yaml")


def cases(kind):
    """The cases of each sentence, by their names."""
    return [
        pytest.param(rule, sides[kind], id=f"{rule}: {sentence[:50]}")
        for rule, sentences in CORPUS.items()
        for sentence, sides in sentences.items()
        if kind in sides
    ]


def unknowable(given):
    """The offenders that one value of the compliant stack makes, which could be unknown."""
    return {
        name: case
        for name, case in given.items()
        if len(case.get("set", ())) == 1 and case.get("unknown", True)
    }


def named(resource):
    return f"{resource.type.rsplit(':', 1)[-1]} {resource.name}"


def _blanked(value):
    if isinstance(value, dict):
        return {key: _blanked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_blanked(item) for item in value]
    return UNKNOWN if value == "<unknown>" else value


def added(given, stack="staging"):
    options = {
        key: given[key] for key in ("protect", "delete_before_replace", "depends_by_property") if key in given
    }
    return (ours if given.get("ours") else make)(
        given["type"], given["name"], _blanked(given["props"]), stack, **options
    )


def program(case, *, blank=False):
    """The compliant stack with a case's changes; `blank` makes the one value that it sets unknown."""
    if "only" in case:
        return [added(each, case["stack"]) for each in case["only"]]
    resources = compliant_stack(case.get("base", case.get("phase", "bind")))
    if case.get("retired"):
        resources = [_without_aliases(each) for each in resources]
    dropped = case.get("drop", ())
    assert {*dropped} <= {named(each) for each in resources}
    resources = [each for each in resources if named(each) not in dropped]
    if "of" in case:
        index = [named(each) for each in resources].index(case["of"])
        values = dict.fromkeys(case.get("set", {}), "<unknown>") if blank else case.get("set", {})
        options = {key: tuple(v) if isinstance(v, list) else v for key, v in case.get("options", {}).items()}
        resources[index] = changed(resources[index], values, options)
    return [*resources, *(added(each) for each in case.get("add", ()))]


def _without_aliases(resource):
    if resource.name != FAMILY or "containerDefinitions" not in resource.props:
        return resource
    (container,) = resource.props["containerDefinitions"]
    kept = {**container, "secrets": container["secrets"][:4]}
    return replace(resource, props={**resource.props, "containerDefinitions": [kept]})


def judged(case, *, blank=False, law=None):
    return judge(
        *program(case, blank=blank),
        phase=case.get("phase", "bind"),
        law=law or (changed_law(case["law"]) if "law" in case else LAW),
        whole=True,
        rotating=case.get("rotating", ""),
        removing=case.get("removing", ()),
    )


@pytest.mark.parametrize(("rule", "given"), cases("offenders"))
def test_an_offender_is_stopped_by_exactly_its_rule(rule, given):
    expected = {name: set(case.get("expect", [rule])) for name, case in given.items()}

    assert expected == {name: violations(judged(case)) for name, case in given.items()}


@pytest.mark.parametrize(("rule", "given"), cases("twins"))
def test_a_compliant_twin_passes(rule, given):
    outcomes = {name: judged(case) for name, case in given.items()}

    assert dict.fromkeys(given, (set(), set())) == {
        name: (violations(outcome), unobserved(outcome)) for name, outcome in outcomes.items()
    }


@pytest.mark.parametrize(("rule", "given"), cases("unseen"))
def test_what_cannot_be_judged_is_reported_by_property_and_stops_nothing(rule, given):
    outcomes = {name: judged(case) for name, case in given.items()}

    assert {name: (set(), set(case["says"])) for name, case in given.items()} == {
        name: (violations(outcome), {path for said, path in unobserved(outcome) if said == rule})
        for name, outcome in outcomes.items()
    }


STRICT = replace(LAW, fail_unknown=True)


@pytest.mark.parametrize(("rule", "given"), cases("unseen"))
def test_what_cannot_be_judged_stops_ci_unless_only_creation_can_tell(rule, given):
    expected = {name: case.get("stops", False) for name, case in given.items()}
    listed = {name: {rule} if each is True else {*(each or ())} for name, each in expected.items()}

    assert listed == {name: violations(judged(case, law=STRICT)) for name, case in given.items()}


@pytest.mark.parametrize(("rule", "given"), cases("offenders"))
def test_the_same_value_unknown_is_reported_and_stops_ci_unless_only_creation_can_tell(rule, given):
    outcomes = {name: judged(case, blank=True, law=STRICT) for name, case in unknowable(given).items()}
    knowable = {
        name: {item.rule for item in outcome.not_evaluated if not item.after_creation}
        for name, outcome in outcomes.items()
    }

    assert {name: (stopping, True) for name, stopping in knowable.items()} == {
        name: (violations(outcome), rule in {said for said, _ in unobserved(outcome)})
        for name, outcome in outcomes.items()
    }


def test_what_is_another_teams_passes_without_a_word():
    without_it = judge(*program({}), whole=True)
    outcomes = {name: judge(*program({"add": given}), whole=True) for name, given in HARMLESS.items()}

    assert dict.fromkeys(HARMLESS, (without_it.findings, ())) == {
        name: (outcome.findings, outcome.not_evaluated) for name, outcome in outcomes.items()
    }


def test_every_sentence_of_every_rule_has_an_offender_and_a_twin():
    held = {
        (rule, sentence)
        for rule, all_of in CORPUS.items()
        for sentence, sides in all_of.items()
        if all(sides.values())
    }

    assert {(rule.name, sentence) for rule in RULES for sentence in rule.refuses} == held


def test_the_corpus_has_its_size():
    offenders = [case for each in cases("offenders") for case in each.values[1].items()]

    assert (True, True, True) == (
        len(offenders) >= 160,
        len(unknowable(dict(enumerate(case for _, case in offenders)))) >= 100,
        len(HARMLESS) >= 40,
    )


PROJECT = "mongodbatlas:index/project:Project"


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ({"id": PROJECT_ID}, {"no-cluster-or-project-changes"}),
        ({"id": "0123456789abcdef01234567"}, set()),
        ({}, set()),
    ],
    ids=["ours", "theirs", "not there yet"],
)
def test_a_project_is_judged_by_its_id_once_that_is_read(read, expected):
    evaluator = Evaluator(Run(STRICT, "staging", Phase.BIND))
    project = make(PROJECT, "x", {"name": "analytics", "orgId": "o"})

    registered = evaluator.resource(project)
    whole = evaluator.stack([replace(project, props={**project.props, **read}, _views={})])

    assert (set(), expected) == (violations(registered), violations(whole))


def test_a_template_too_deep_to_be_read_does_not_pass():
    nested = '{"a":' * 700 + "1" + "}" * 700
    deep = f'{{"Resources": {{"X": {{"Type": "AWS::IAM::Role", "Properties": {nested}}}}}}}'
    outcome = judge(make("aws:cloudformation/stack:Stack", "t", {"templateBody": deep}))

    assert violations(outcome) or unobserved(outcome)
