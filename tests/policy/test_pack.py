"""The pack as an engine meets it: its metadata, unknown values, strange values, and what it never says."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import json_format, struct_pb2
from policy_pack_process import PackProcess
from policy_world import ROOT, compliant_stack, handed, judge, make, task, user, violations
from pulumi.runtime.proto import analyzer_pb2

from policy import resources as types
from policy.evaluate import Evaluator
from policy.model import Rule
from policy.rules import RULES
from policy.run import Run

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
PACK = Path(__file__).resolve().parents[2] / "policy"
CANARY = "Zu7canary9Zu7canary9Zu7canary9Zu"


def request(resource, **changes):
    resource = handed(resource)
    properties = struct_pb2.Struct()
    json_format.ParseDict({**resource.props, **changes}, properties)
    return analyzer_pb2.AnalyzeRequest(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=properties,
        options=analyzer_pb2.AnalyzerResourceOptions(
            protect=resource.protect, ignoreChanges=resource.ignore_changes, parent=resource.parent
        ),
    )


def mandatory(said):
    return {name for name, stops, _, _ in said if stops}


def test_the_pack_documents_everything_about_a_rule(packs):
    policies = {policy.name: policy for policy in packs("bind").info().policies}

    frozen = policies["roles-by-law"]

    assert (
        analyzer_pb2.EnforcementLevel.Value("MANDATORY"),
        analyzer_pb2.PolicySeverity.Value("POLICY_SEVERITY_CRITICAL"),
        ["ADR 0006", "HIPAA §164.312(b)", "SOC 2 CC6.1", "HIPAA §164.308(a)(4)"],
        True,
    ) == (frozen.enforcementLevel, frozen.severity, list(frozen.tags), bool(frozen.remediation_steps))


def test_every_rule_is_in_the_pack(packs):
    names = {policy.name for policy in packs("bind").info().policies}

    assert {rule.name for rule in RULES} <= names


@pytest.mark.parametrize(
    ("asked", "policy", "expected"),
    [
        (request(user(), password=UNKNOWN_TEXT), "known-after-creation", "app_read: password is"),
        (request(user(), projectId=UNKNOWN_TEXT), "not-evaluated", "app_read: projectId is"),
    ],
    ids=["expected", "could be known"],
)
def test_an_unknown_value_is_reported_by_name_and_kind_and_stops_nothing(packs, asked, policy, expected):
    packs("bind").analyze(request(compliant_stack()[0]))
    said = packs("bind").analyze(asked)

    assert [(policy, False, True)] == [
        (name, stops, f"{expected} not known before creation" in line) for name, stops, line, _ in said
    ]


def test_an_unknown_value_does_not_hide_another_mistake(packs):
    said = packs("bind").analyze(request(user(), password=UNKNOWN_TEXT, scopes=[]))

    assert {"users-by-law"} == mandatory(said)


def test_an_unknown_element_of_a_list_is_reported(packs):
    said = packs("bind").analyze(request(user(), roles=[UNKNOWN_TEXT]))

    assert any("roles is not known before creation" in line for _, _, line, _ in said)


def test_in_ci_an_unknown_value_that_could_be_known_is_a_violation():
    with PackProcess.start(PACK, "bind", environment={"ATLAS_ACCESS_POLICY_UNKNOWN": "fail"}) as pack:
        expected = pack.analyze(request(user(), password=UNKNOWN_TEXT))
        unexpected = pack.analyze(request(user(), projectId=UNKNOWN_TEXT))

    assert (set(), {"project-isolation", "user-cap"}) == (
        mandatory(expected),
        mandatory(unexpected),
    )


def test_a_password_in_a_secret_envelope_is_judged_and_never_printed(packs):
    envelope = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": CANARY[:20]}

    said = packs("bind").analyze(request(user(), password=envelope))

    shown = any(CANARY[:10] in line for _, _, line, _ in said)
    assert ({"password-strength"}, False) == (mandatory(said), shown)


@pytest.mark.parametrize("phase", ["binding", None], ids=["a phase that does not exist", "none"])
def test_without_a_known_phase_the_pack_assumes_provision(phase, packs):
    packs(phase).analyze(request(compliant_stack()[0]))
    said = packs(phase).analyze(request(task()))

    assert "additive-provision" in mandatory(said)


def test_the_components_phase_serves_where_no_setting_does(packs):
    component = make(types.SERVICE_ACCESS, "staging", {"phase": "bind"})
    for each in (compliant_stack()[0], component):
        packs(None).analyze(request(each))
    said = packs(None).analyze(request(task()))

    assert {"proof-before-bind"} == mandatory(said)


def test_a_new_pass_forgets_the_pass_before(packs):
    pack, root = packs("bind"), compliant_stack()[0]
    for _ in range(2):
        pack.analyze(request(root))
        said = [line for _ in range(2) for line in pack.analyze(request(user()))]

    assert set() == mandatory(said)


@pytest.mark.parametrize(
    "props",
    [
        {},
        {"roles": 7, "scopes": "x", "username": ["a"], "projectId": {}, "password": [1]},
        {"roles": [[[]]], "scopes": [None]},
        {"roles": [{"roleName": {"a": 1}, "databaseName": [2]}]},
        {"roles": [{"roleName": "read", "databaseName": "askflorence"}] * 5000},
    ],
)
def test_a_malformed_user_is_a_finding_that_names_it(packs, props):
    said = packs("bind").analyze(request(make(types.DATABASE_USER, "broken", props)))

    assert any(stops and "DatabaseUser broken:" in line for _, stops, line, _ in said)


@pytest.mark.parametrize(
    "containers",
    [
        "",
        "nonsense",
        "7",
        "null",
        '"text"',
        '{"a": 1}',
        "[1, 2]",
        '[{"secrets": {"a": 1}}]',
        "[" * 100_000,
        "[NaN, {}",
    ],
)
def test_strange_container_definitions_are_a_finding_that_names_the_task(packs, containers):
    said = packs("bind").analyze(request(task(), containerDefinitions=containers))

    assert any(stops and "TaskDefinition askflorence-staging-app:" in line for _, stops, line, _ in said)


def test_a_rule_that_throws_is_a_violation_without_the_text_of_the_exception(law):
    def throws(resource, run, report):
        raise ValueError(CANARY)

    broken = Rule(
        name="broken",
        description="d",
        why="w",
        source="s",
        severity="low",
        frameworks=("SOC 2 CC6.1",),
        remediation="r",
        offending="o",
        compliant="c",
        check=throws,
        check_stack=throws,
    )
    evaluator = Evaluator(Run(law, "staging", None), [broken])

    outcomes = [evaluator.resource(user()), evaluator.stack([user()])]

    assert [({"broken"}, False)] * 2 == [(violations(o), CANARY in o.findings[0].message) for o in outcomes]


def test_no_message_holds_a_secret_from_any_property():
    where = json.dumps(
        [{"name": CANARY, "environment": [{"name": "A", "value": f"mongodb://a:{CANARY}@h/d"}]}]
    )
    uri = f"mongodb+srv://app:{CANARY}@host/db"
    outcomes = [
        judge(user(password=CANARY[:8])),
        judge(user("a", password=CANARY), user("b", password=CANARY)),
        judge(user(description=uri, username=uri, projectId=uri)),
        judge(task(containerDefinitions=where)),
        judge(make(types.SECRET, "s", {"name": uri, "kmsKeyId": uri, "tags": {uri: uri}})),
        judge(make(types.STACK, "root", {"out": uri}), whole=True),
    ]

    said = [f"{f.message} {f.subject} {f.name}" for outcome in outcomes for f in outcome.findings]

    assert [] == [line for line in said if CANARY[:8] in line]


@pytest.fixture
def copied(tmp_path):
    """A copy of the pack, as another checkout has it."""
    shutil.copytree(PACK, tmp_path / "policy", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "policy"


def test_no_module_of_the_pack_shadows_the_standard_library():
    assert set() == {module.stem for module in PACK.glob("*.py")} & sys.stdlib_module_names


def test_the_pack_that_is_named_is_the_pack_that_runs(copied):
    path = copied / "policy-config.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"userCap": 5', '"userCap": 1'), encoding="utf-8"
    )
    shutil.copytree(ROOT / "docs", copied.parent / "docs")

    with PackProcess.start(copied, "bind") as pack:
        said = [mandatory(pack.analyze(request(user(name)))) for name in ("app_read", "app_write")]

    assert [set(), {"user-cap"}] == said


def test_a_wrong_configuration_is_reported_without_a_traceback(copied):
    (copied / "policy-config.json").write_text('{"userCap": 0}', encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "pulumi.policy", "127.0.0.1:1", "."],
        cwd=copied,
        capture_output=True,
        text=True,
        timeout=120,
    )

    named = "policy-config.json has 2 errors" in ended.stderr
    assert (1, True, False) == (ended.returncode, named, "Traceback" in ended.stderr)
