"""The policy pack's configuration for an audit log in a database of its own."""

import json
from pathlib import Path

import jsonschema
import pytest
from policy_world import audit_role, compliant_stack, grant, judge, judge_stack, role, user, violations

from policy.config import Config, ConfigInvalid, Waiver, load_config, parse_config

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "examples/audit-database/policy-config.json"
APART = load_config(FILE)
LOG = "askflorence_audit"
READER = user(
    "app_read",
    roles=[{"roleName": "read", "databaseName": "askflorence"}, {"roleName": "read", "databaseName": LOG}],
)
FROZEN = audit_role([grant("FIND", "agent_audit_log", LOG), grant("INSERT", "agent_audit_log", LOG)])


def test_the_example_is_valid_by_the_schema():
    schema = json.loads((ROOT / "policy/policy-config.schema.json").read_text(encoding="utf-8"))
    given = json.loads(FILE.read_text(encoding="utf-8"))
    assert [] == [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(given)]


def test_the_example_differs_from_ours_by_the_database_and_the_waiver_alone():
    ours = load_config()
    same = {name: value for name, value in vars(ours).items() if name not in ("audit_database", "waivers")}
    assert same == {name: vars(APART)[name] for name in same}
    assert ["W2"] == [waiver.id for waiver in APART.waivers]


@pytest.mark.parametrize(
    "resources",
    [[READER], [user("app_write", "readWrite")], [FROZEN], [FROZEN, user("w", "role_audit_writer", "admin")]],
    ids=["a reader of both databases", "the writer", "the audit role there", "the audit writer"],
)
def test_the_profile_allows_what_it_needs(resources):
    assert set() == violations(judge(*resources, config=APART))


def test_a_whole_stack_of_the_profile_passes():
    others = [each for each in compliant_stack() if each.name not in ("app_read", "role_audit_writer")]
    stack = [FROZEN, *others, READER]
    assert set() == violations(judge_stack(*stack, config=APART))


OFFENDING = [
    ("audit-log-append-only", "a writer of the log's database", user("app_write", "readWrite", LOG)),
    ("built-in-roles-allow-list", "a writer of the log's database", user("app_write", "readWrite", LOG)),
    ("audit-role-frozen", "the audit role where the log no longer is", audit_role()),
    (
        "audit-log-append-only",
        "an index on the log",
        role(actions=[grant("CREATE_INDEX", "agent_audit_log", LOG)]),
    ),
    ("atlas-action-allow-list", "a third database", role(actions=[grant("FIND", "plans", "other")])),
    (
        "one-role-per-user",
        "a reader that writes too",
        user(
            "app_read",
            roles=[
                {"roleName": "read", "databaseName": LOG},
                {"roleName": "readWrite", "databaseName": "askflorence"},
            ],
        ),
    ),
]


@pytest.mark.parametrize(
    ("rule", "resource"), [(a, c) for a, _, c in OFFENDING], ids=[b for _, b, _ in OFFENDING]
)
def test_the_profile_still_stops_what_breaks_the_log(rule, resource):
    assert rule in violations(judge(resource, config=APART))


def test_the_second_role_is_refused_where_the_log_has_no_database_of_its_own():
    assert {"built-in-roles-allow-list", "one-role-per-user"} <= violations(judge(READER))


def test_the_old_waiver_is_stale_in_the_profile():
    w1 = next(waiver for waiver in load_config().waivers if waiver.id == "W1")
    config = Config(**{**vars(APART), "waivers": (*APART.waivers, Waiver(**vars(w1)))})
    assert "audit-log-append-only" in violations(judge_stack(*compliant_stack(), config=config))


def test_another_database_for_the_log_is_no_setting():
    text = FILE.read_text(encoding="utf-8").replace(f'"{LOG}"', '"elsewhere"')
    with pytest.raises(ConfigInvalid, match="auditDatabase: has to be one of"):
        parse_config(text)
