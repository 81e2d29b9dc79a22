"""The pack's configuration: every error at once, and the reader and the schema refuse the same files."""

import json
from pathlib import Path

import jsonschema
import pytest

from policy.config import DEFAULT_FILE, UNKNOWN_SETTING, Config, ConfigInvalid, load_config, parse_config

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "policy/policy-config.schema.json").read_text(encoding="utf-8"))
GOOD = json.loads(DEFAULT_FILE.read_text(encoding="utf-8"))


def changed(**top):
    return {**GOOD, **top}


def changed_stack(**facts):
    return changed(stacks={"staging": {**GOOD["stacks"]["staging"], **facts}})


WRONG = {
    "an unknown key": changed(userCaps=5),
    "a cap of nothing": changed(userCap=0),
    "a cap that is a text": changed(userCap="5"),
    "a cap that is a boolean": changed(userCap=True),
    "a mode nobody knows": changed(unknown="ignore"),
    "no stacks": {key: value for key, value in GOOD.items() if key != "stacks"},
    "stacks in a list": changed(stacks=[]),
    "a project id that is none": changed_stack(projectId="69e31af1"),
    "an account that is none": changed_stack(account="1234"),
    "an unknown fact": changed_stack(region="us-east-1"),
    "legacy users in a text": changed_stack(legacyUsers="app_read"),
    "a waiver without a decision": changed(waivers=[{"id": "W1", "user": "app_write", "permits": []}]),
    "waivers in an object": changed(waivers={}),
    "an alias of every key": changed_stack(kmsAlias="alias/*"),
}


def test_the_shipped_configuration_is_valid():
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(GOOD)


@pytest.mark.parametrize("raw", WRONG.values(), ids=WRONG.keys())
def test_the_reader_and_the_schema_refuse_the_same_files(raw):
    with pytest.raises(ConfigInvalid):
        parse_config(json.dumps(raw))

    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(raw)


def test_all_errors_come_at_once():
    with pytest.raises(ConfigInvalid) as raised:
        parse_config(json.dumps({"userCap": 0, "unknown": "x", "stacks": {"a": {}}, "more": 1}))

    assert len(raised.value.errors) == 11


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_file_that_is_no_json_is_one_error(text):
    with pytest.raises(ConfigInvalid, match="it is not JSON"):
        parse_config(text)


def test_a_missing_file_is_one_error(tmp_path):
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        load_config(tmp_path / "policy-config.json")


def test_an_absent_cap_is_the_decision_records():
    assert parse_config('{"stacks": {}}') == Config(stacks=())


@pytest.mark.parametrize(("asked", "fails"), [("", False), ("report", False), ("fail", True)])
def test_the_environment_can_make_the_pack_stricter(asked, fails):
    assert fails is load_config(environment={UNKNOWN_SETTING: asked}).fail_unknown


def test_the_environment_cannot_make_the_pack_laxer(tmp_path):
    strict = tmp_path / "policy-config.json"
    strict.write_text(json.dumps(changed(unknown="fail")), encoding="utf-8")

    assert load_config(strict, {UNKNOWN_SETTING: "report"}).fail_unknown


@pytest.mark.parametrize("asked", ["Fail", "true", "1", "yes"])
def test_an_environment_that_asks_for_what_there_is_not_is_refused(asked):
    with pytest.raises(ConfigInvalid, match="ATLAS_ACCESS_POLICY_UNKNOWN: has to be report or fail"):
        load_config(environment={UNKNOWN_SETTING: asked})
