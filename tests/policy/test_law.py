"""The law: its file, the decisions that loosen a limit, and another application's."""

import json
import re
import shutil
from dataclasses import replace

import jsonschema
import pytest
from policy_changes import changed
from policy_world import (
    LAW,
    LAW_TEXT,
    ROOT,
    advised,
    audit_role,
    compliant_stack,
    grant,
    judge,
    make,
    user,
    violations,
)

from policy import resources as types
from policy.decisions import digest_of, section
from policy.law import Excepted
from policy.law_file import SCHEMA_FILE, UNKNOWN_SETTING, LawInvalid, load_law, parse_law

RAW = json.loads(LAW_TEXT)
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
RECORD = """# Records

## ADR 0042

- Allows: `user cap 6`, `exception E1`
- Approved by: security
- Date: 2026-11-30
"""
MORE = {f"app_report_{letter}": {"roles": ["read@askflorence"]} for letter in "abcd"}
SIX = ["app_read", "app_write", *MORE]


def with_(**changes):
    return {**RAW, **changes}


def staging(**changes):
    return with_(
        environments={**RAW["environments"], "staging": {**RAW["environments"]["staging"], **changes}}
    )


BY_SCHEMA = {
    "an unknown key": with_(userCaps=5),
    "a mode nobody knows": with_(unknown="ignore"),
    "no environments": {key: value for key, value in RAW.items() if key != "environments"},
    "environments in a list": with_(environments=[]),
    "a cap of nothing": staging(userCap=0),
    "a cap that is a text": staging(userCap="5"),
    "a cap that is a boolean": staging(userCap=True),
    "a project id that is none": staging(projectId="69e31af1"),
    "an account that is none": staging(account="1234"),
    "an unknown fact": staging(regions="us-east-1"),
    "legacy users in a text": staging(legacy={"users": "app_read"}),
    "a waiver without a decision": staging(waivers={"W3": {"user": "app_write", "permits": []}}),
    "waivers in a list": staging(waivers=[]),
    "an alias of every key": staging(kmsAlias="alias/*"),
    "a wildcard collection": staging(roles={"r": {"actions": {"FIND": ["askflorence.*"]}}}),
    "a wildcard secret": staging(secrets={"s": {"user": "app_read", "readers": ["*"]}}),
    "one tenant's is everybody": staging(oneTenant=["*"]),
    "a decision without a digest": with_(decisions={"ADR 0006": {"path": "docs/application-adrs.md"}}),
    "a decision elsewhere": with_(decisions={"ADR 0006": {"path": "../x.md", "sha256": "0" * 64}}),
}
CONTRADICTIONS = {
    "a role that is not there": staging(users={"app_read": {"roles": ["role_x"]}}),
    "a secret of no cluster": staging(secrets={"staging/mongodb/app-read-v2": {"cluster": "qa"}}),
    "a secret outside the prefix": staging(secrets={"x": {"user": "app_read", "readers": []}}),
    "a waiver for nobody": staging(waivers={"W3": {"user": "x", "decision": "ADR 0006", "permits": []}}),
    "a variable that its user does not carry": staging(users={"app_read": {"variables": []}}),
    "one project twice": staging(projectId=RAW["environments"]["prod"]["projectId"]),
}


def test_the_shipped_laws_are_valid():
    files = [ROOT / "policy/policy-config.json", *ROOT.glob("examples/**/policy-config.json")]

    assert [True] * 3 == [
        jsonschema.Draft202012Validator(SCHEMA).is_valid(json.loads(each.read_text(encoding="utf-8")))
        for each in files
    ]


@pytest.mark.parametrize("raw", BY_SCHEMA.values(), ids=BY_SCHEMA.keys())
def test_the_reader_and_the_schema_refuse_the_same_files(raw):
    with pytest.raises(LawInvalid):
        parse_law(json.dumps(raw))

    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(raw)


@pytest.mark.parametrize("raw", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_a_law_that_contradicts_itself_is_refused(raw):
    with pytest.raises(LawInvalid, match="environments"):
        parse_law(json.dumps(raw))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_file_that_is_no_json_is_one_error(text):
    with pytest.raises(LawInvalid, match="it is not JSON"):
        parse_law(text)


def test_a_missing_file_is_one_error(tmp_path):
    with pytest.raises(LawInvalid, match="cannot be read"):
        load_law(tmp_path / "policy-config.json")


@pytest.mark.parametrize(("asked", "fails"), [("", False), ("report", False), ("fail", True)])
def test_the_environment_can_make_the_pack_stricter(asked, fails):
    assert fails is load_law(environment={UNKNOWN_SETTING: asked}).fail_unknown


@pytest.mark.parametrize("asked", ["Fail", "true", "1", "yes"])
def test_an_environment_that_asks_for_what_there_is_not_is_refused(asked):
    with pytest.raises(LawInvalid, match="ATLAS_ACCESS_POLICY_UNKNOWN: has to be report or fail"):
        load_law(environment={UNKNOWN_SETTING: asked})


def decided(folder, record=RECORD, digest=None, **common):
    """The shipped law with one more decision, in a folder of its own."""
    shutil.copytree(ROOT / "docs", folder / "docs", dirs_exist_ok=True)
    (folder / "docs/records.md").write_text(record, encoding="utf-8")
    found = section(record, "adr-0042") or ""
    named = {"path": "docs/records.md#adr-0042", "sha256": digest or digest_of(found)}
    decisions = {**RAW["decisions"], "ADR 0042": named}
    common["users"] = {**RAW["common"]["users"], **common.get("users", {})}
    given = {"common": {**RAW["common"], **common}, "decisions": decisions}
    given["exceptions"] = [EXCEPTION] if "E1" in record else []
    return parse_law(json.dumps(with_(**given)), folder)


EXCEPTION = {
    "id": "E1",
    "resource": f"{types.SECRET}::app-read-v2",
    "rule": "secret-settings",
    "decision": "ADR 0042",
}
CAP = {"userCap": 6, "capDecision": "ADR 0042", "users": MORE}


def six_users():
    return [
        replace(user(name, password=str(number) * 40), urn=f"{user(name).urn}-{number}")
        for number, name in enumerate(SIX)
    ]


def test_a_higher_cap_by_decision_is_in_force(tmp_path):
    law = decided(tmp_path, RECORD.replace(", `exception E1`", ""), **CAP)

    assert ((), set(), {"user-cap"}) == (
        law.lapsed(),
        violations(judge(*six_users(), law=law)),
        advised(judge(*six_users(), law=law)) & {"user-cap"},
    )


@pytest.mark.parametrize(("allowed", "cap"), [("rotation headroom", 6), ("user cap 5", 5)])
def test_headroom_for_a_rotation_is_one_more_user_by_decision(tmp_path, allowed, cap):
    record = RECORD.replace("`user cap 6`, `exception E1`", f"`{allowed}`")
    law = decided(tmp_path, record, rotationHeadroom=1, capDecision="ADR 0042")

    assert cap == law.cap(law.environments[0])[0]


LAPSED = {
    "without an approving role": (RECORD.replace("Approved by: security", "Approved by: me"), None),
    "without a date": (RECORD.replace("2026-11-30", "soon"), None),
    "under another heading": (RECORD.replace("0042", "0043"), "1" * 64),
    "changed since": (RECORD, "1" * 64),
    "that allows something else": (RECORD.replace("user cap 6", "user cap 7"), None),
    "that allows it in passing": (RECORD.replace("`user cap 6`", "user cap 6"), None),
}


@pytest.mark.parametrize(("record", "digest"), LAPSED.values(), ids=LAPSED.keys())
def test_a_decision_allows_nothing(tmp_path, record, digest):
    law = decided(tmp_path, record.replace(", `exception E1`", ""), digest, **CAP)

    assert (True, {"user-cap"}) == (
        any("user cap 6" in each and "ADR 0042" in each for each in law.lapsed()),
        violations(judge(*six_users(), law=law)),
    )


def test_an_exception_by_decision_is_visible_and_a_stale_one_is_a_finding(tmp_path):
    law = decided(tmp_path)
    offending = [
        changed(each, {"recoveryWindowInDays": 7})
        if each.type == types.SECRET and each.name == "app-read-v2"
        else each
        for each in compliant_stack()
    ]

    assert [(set(), True), ({"secret-settings"}, False)] == [
        (violations(outcome), "secret-settings" in advised(outcome))
        for outcome in (
            judge(*offending, law=law, whole=True),
            judge(*compliant_stack(), law=law, whole=True),
        )
    ]


def test_an_exception_without_its_decision_excuses_nothing():
    law = replace(LAW, exceptions=(Excepted(**EXCEPTION),))
    (secret,) = [
        each for each in compliant_stack() if each.type == types.SECRET and each.name == "app-read-v2"
    ]

    assert {"secret-settings"} == violations(judge(changed(secret, {"recoveryWindowInDays": 7}), law=law))


def test_the_audit_log_may_have_a_database_of_its_own():
    text = (ROOT / "examples/audit-database/policy-config.json").read_text(encoding="utf-8")
    law, log = parse_law(text, ROOT), "askflorence_audit"
    reader = user(roles=[{"roleName": "read", "databaseName": each} for each in ("askflorence", log)])
    frozen = audit_role([grant(each, "agent_audit_log", database=log) for each in ("FIND", "INSERT")])

    assert [set(), {"roles-by-law"}, {"users-by-law"}] == [
        violations(judge(frozen, reader, user("app_write"), law=law)),
        violations(judge(audit_role(), law=law)),
        violations(judge(user("app_write", "readWrite", log), law=law)),
    ]


SHOP = load_law(ROOT / "examples/shop/policy/policy-config.json")
KEY = "arn:aws:kms:us-east-1:444444444444:key/11111111-2222-3333-4444-555555555555"
SOLD = {"projectId": "a" * 24, "scopes": [{"name": "shop-dev", "type": "CLUSTER"}]}


def seller(role="readWrite", **props):
    return user("seller", role, "shop", stack="dev", **{**SOLD, **props})


@pytest.mark.parametrize(
    ("expected", "resource"),
    [
        (set(), seller()),
        ({"users-by-law"}, seller("dbOwner")),
        ({"users-by-law"}, user("app_read", stack="dev", **SOLD)),
        ({"password-strength"}, seller(password="short")),
        ({"protected-resources"}, replace(seller(), protect=False)),
        ({"project-isolation"}, seller(projectId="b" * 24)),
        ({"secret-settings"}, make(types.SECRET, "s", {"name": "dev/mongodb/x", "kmsKeyId": KEY}, "dev", protect=True)),
        (set(), make(types.SECRET, "s", {"name": "staging/mongodb/app-read-v2"}, "dev")),
    ],
    ids=lambda each: "" if isinstance(each, set) else each.name,
)  # fmt: skip
def test_another_applications_law_gives_the_same_rules(expected, resource):
    assert expected == violations(judge(resource, law=SHOP))


def test_no_code_of_the_pack_names_what_a_law_names():
    laws = [*LAW.environments, *SHOP.environments]
    names = {
        name for home in laws for part in (home.users, home.roles, home.secrets, home.tasks) for name in part
    }
    names |= {
        name
        for home in laws
        for name in (*home.variables, *home.iam_roles, *home.legacy_users, home.database)
    }
    names |= {text for home in laws for text in (home.project, home.account, home.cluster, *home.audit)}
    names -= {"shop", "reader", "seller", "ledger"}
    code = "\n".join(each.read_text(encoding="utf-8") for each in (ROOT / "policy").glob("**/*.py"))
    code += (ROOT / "policy/rules.json").read_text(encoding="utf-8")

    assert [] == sorted(name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", code))
