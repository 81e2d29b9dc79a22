"""A wrong manifest is refused with every mistake, its line and the remedy."""

import pickle

import pytest

from atlas_access.base.yaml_errors import ManifestError, listed_errors
from atlas_access.manifest.load import ManifestInvalid, load_manifest
from tests.unit.manifest_cases import CASES, CUSTOM, READ_ROLE, TWO_RULES
from tests.unit.manifests import TEXT, edited, errors_of, line_of, only_error

BEFORE_ADOPTED = "\n# What exists today"


def user(name, secret):
    return f'  {name}:\n    role: role_admin_schema\n    secret: "{{env}}/mongodb/{secret}"\n'


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_named_with_its_place_and_the_remedy(name):
    change, expected = CASES[name]
    messages = [str(error).partition("  ")[2] for error in errors_of(edited(change))]
    assert any(message.startswith(expected) for message in messages), "\n".join(messages)


@pytest.mark.parametrize("name", sorted(CASES.keys() - TWO_RULES))
def test_one_mistake_brings_forth_one_error(name):
    assert only_error(edited(CASES[name][0]))


def test_an_error_stands_at_the_line_of_the_mistake():
    text = edited((CUSTOM, CUSTOM.replace("FIND", "FINDS")))
    assert line_of(text, "    FINDS:") == only_error(text).line


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file():
    text = edited(
        (READ_ROLE, READ_ROLE.replace("read@askflorence", "role_reports")),
        ("  schema_task:\n", "    MONGODB_WRITE_URI: {user: app_read}\n  schema_task:\n"),
    )
    with pytest.raises(ManifestInvalid) as caught:
        load_manifest(text)
    expected = [
        "access.yaml has 2 errors; nothing was contacted.",
        f'  access.yaml:{line_of(text, "role: role_reports")}  users.app_read.role: role "role_reports" is not'
        " defined. Define it under roles:, or use read@askflorence.",
    ]
    assert expected == str(caught.value).splitlines()[:2]
    assert [line_of(text, "MONGODB_WRITE_URI: {user: app_read}")] == [e.line for e in caught.value.errors[1:]]


def test_the_sixth_user_needs_a_decision():
    extra = user("app_admin_full", "five") + user("app_reports", "six")
    error = only_error(edited((BEFORE_ADOPTED, extra + BEFORE_ADOPTED)))
    assert ("users.app_reports", "a sixth user; a cluster has at most 5") == (error.where, error.problem)
    assert "JWT" not in error.remedy


@pytest.mark.parametrize(
    "name", ["agent_101", "app_member-5f3a9c", "tenant7", "app-npn_12345678", "Agency_3"]
)
def test_one_tenants_own_user_is_refused_below_the_cap_too(name: str):
    error = only_error(edited((BEFORE_ADOPTED, user(name, "own") + BEFORE_ADOPTED)))
    assert (f"users.{name}", "a database user for one tenant") == (error.where, error.problem)
    assert "views and the JWT" in error.remedy


@pytest.mark.parametrize("name", ["app_admin_full", "app_agents", "app_member_portal", "app_orgs_reader"])
def test_a_fifth_user_that_is_no_tenants_own_is_accepted(name: str):
    assert () == errors_of(edited((BEFORE_ADOPTED, user(name, "fifth") + BEFORE_ADOPTED)))


def test_a_user_for_each_tenant_is_answered_with_the_playbook():
    extra = "".join(user(f"agent_{number}", f"agent-{number}") for number in range(101, 105))
    errors = errors_of(edited((BEFORE_ADOPTED, extra + BEFORE_ADOPTED)))
    assert 4 == len(errors)
    assert all("views and the JWT" in error.remedy for error in errors)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("- a\n- list\n", "not a mapping at the top"),
        ("just words", "not a mapping at the top"),
        (b"\xff\xfe\x00", "not UTF-8 but UTF-16"),
        (b"version: 1\na: \xe9", "not UTF-8: byte 0xe9 at offset 14"),
        ("a: \x00b", "a hidden character, U+0000 (no name)"),
        ("[" * 100 + "]" * 100, "nested deeper than 16 levels"),
        ("a: " + "{a: " * 40 + "1" + "}" * 40, "nested deeper than 16 levels"),
        ("a: [" + "1, " * 5_000 + "1]", "too many parts"),
        ("a: " + "x" * 300_000, "larger than 256 KiB"),
        ("? [a, b]\n: c\n", "a key that is a list or a mapping"),
        ("a: &a [x]\nb: [*a, *a]\n", "an anchor or alias (& or *)"),
        ("a: &a\n  b: *a\n", "an anchor or alias (& or *)"),
        ("%YAML 9.9\n---\na: b", "not valid YAML"),
    ],
)
def test_a_text_that_is_no_manifest_has_one_reason(text, problem):
    assert problem == only_error(text).problem


def test_a_word_is_not_taken_for_a_truth_value():
    plans = "  plans: {class: public, on: [staging, prod]"
    text = edited((plans + "}", plans + ", may_be_absent: yes}"))
    assert "neither true nor false" == only_error(text).problem


CANARY = "p@ss:w%2F" + '"'
SECRETS = {
    "a connection string": "mongodb+srv://app_read:Zx9kQw3vRt@cluster.example.net/askflorence",
    "a percent-encoded connection string": "mongodb%3A%2F%2Fapp%3AZx9kQw3vRt%40cluster.example.net",
    "a generated password": "Zx9kQw3vRtPl8sUd2mNb6yHc4eGf7aJ1",
    "an access key": "AKIAIOSFODNN7ZZZZZZZ",
    "a named password": "password: Zx9k",
}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize(
    "place",
    [
        ("version: 1\n", "version: 1\n# {}\n"),
        ("    reason: readWrite includes", "    reason: '{} readWrite includes"),
        ("database: askflorence\nenvironments", 'database: "{}"\nenvironments'),
        ("version: 1\n", "version: 1\n'{}': x\n"),
        (READ_ROLE, READ_ROLE + "\n    note: '{}'"),
    ],
)
def test_a_secret_is_refused_wherever_it_stands_and_never_repeated(kind, place):
    secret = SECRETS[kind]
    text = edited((place[0], place[1].replace("{}", secret)))
    with pytest.raises(ManifestInvalid) as caught:
        load_manifest(text)
    result = str(caught.value) + repr(caught.value) + repr(caught.value.errors)
    for part in (secret, "Zx9k", "AKIA"):
        assert part not in result
    assert "treat it as leaked" in result


def test_a_secret_hidden_by_escapes_is_found():
    text = edited(
        ("database: askflorence\nenvironments", 'database: "mongodb:\\x2f\\x2fu:\\x70w@h"\nenvironments')
    )
    assert {"a connection string with a password"} & {error.problem for error in errors_of(text)}


@pytest.mark.parametrize("value", [CANARY, "x" * 200, "two\\nlines", "h@unter:2"])
def test_an_odd_value_is_not_repeated(value):
    quoted = "'" + value + "'" if '"' in value else '"' + value + '"'
    errors = str(errors_of(edited(("    role: role_audit_writer", f"    role: {quoted}"))))
    assert "(a value that is not shown here)" in errors
    assert value not in errors


def test_the_errors_survive_pickling():
    with pytest.raises(ManifestInvalid) as caught:
        load_manifest("version: 1")
    assert caught.value.errors == pickle.loads(pickle.dumps(caught.value)).errors  # noqa: S301 - made here


def test_a_file_full_of_mistakes_is_not_printed_in_full():
    text = TEXT + "".join(f"wrong_{number}: 1\n" for number in range(500))
    with pytest.raises(ManifestInvalid) as caught:
        load_manifest(text)
    assert ("  and 400 more.", 500) == (str(caught.value).splitlines()[-1], len(caught.value.errors))


def test_mistakes_that_differ_only_in_where_they_are_are_one_of_at_most_a_hundred_columns() -> None:
    remedy = 'Set your own value; for the sandbox: eval "$(atlas-access sandbox env STACK)".'
    errors = [
        *(
            ManifestError("f.yaml", n, f"atlas-access:name{n}", "is still a placeholder", remedy)
            for n in range(8)
        ),
        *(ManifestError("f.yaml", 9, f"users.{n}", f'unknown key "{n}"', "Remove it.") for n in "ab"),
        ManifestError("f.yaml", 12, "users.app_read", "has no role", "Give it one."),
    ]
    assert (
        "f.yaml has 11 errors; nothing was contacted.\n"
        "  f.yaml:0  atlas-access:name0, name1, name2, name3, name4, name5, name6, name7: each is still a\n"
        '      placeholder. Set your own value; for the sandbox: eval "$(atlas-access sandbox env STACK)".\n'
        "  f.yaml:9  users.a, users.b: unknown key. Remove it.\n"
        "  f.yaml:12  users.app_read: has no role. Give it one."
    ) == listed_errors("f.yaml", errors)
