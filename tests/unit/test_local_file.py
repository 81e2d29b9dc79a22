"""The env file's text: our variables set, the deprecated gone, every other line to the byte; and what a check finds."""

import pytest
from hypothesis import given, strategies as st

from atlas_access.base import Status
from atlas_access.base.connection import Secret
from atlas_access.base.env_file import LocalText, ValueUnwritable
from atlas_access.guards.local_values import LocalFacts, check
from atlas_access.manifest.records import LOCAL
from tests.unit.manifests import manifest

VALUES = {
    "MONGODB_URI": "mongodb+srv://app_read:x@askflorence-staging.abc.mongodb.net/askflorence?retryWrites=true&w=majority",
    "MONGODB_WRITE_URI": "mongodb+srv://app_write:y@askflorence-staging.abc.mongodb.net/askflorence?w=majority",
}
REMOVED = ("MONGODB_URI_PLANS_WRITE", "MONGODB_URI_AUDIT_READ")
OURS = {*VALUES, *REMOVED}

names = st.sampled_from([*OURS, "OTHER", "MONGODB_URI_2", "A.B-C"])
values = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(['"two\nlines"', "'it''s'", "`a`", "x # said", '"MONGODB_URI=inside\n"', "#", ""]),
)
lines = st.one_of(
    st.builds("{}{}={}".format, st.sampled_from(["", "export ", "  "]), names, values),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.builds("# {}".format, values),
)
texts = st.builds(
    lambda head, parts, end, last: head + end.join(parts) + last,
    st.sampled_from(["", "\ufeff"]),
    st.lists(lines, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\r\n"]),
)


@given(texts)
def test_the_entries_joined_are_the_text(text: str) -> None:
    assert text == LocalText.parse(text).text


@given(texts)
def test_every_line_that_is_not_ours_stays_to_the_byte_and_in_order(text: str) -> None:
    before = LocalText.parse(text)
    after = LocalText.parse(before.rewritten(VALUES, REMOVED))
    kept = [entry.text for entry in before.entries if entry.name not in OURS]
    now = [entry.text for entry in after.entries if entry.name not in OURS]
    assert [each.rstrip("\r\n") for each in kept] == [each.rstrip("\r\n") for each in now]


@given(texts)
def test_each_of_our_variables_stands_once_with_its_value_and_a_deprecated_one_nowhere(text: str) -> None:
    after = LocalText.parse(LocalText.parse(text).rewritten(VALUES, REMOVED))
    found = {name: [entry.value.reveal() for entry in after.of(name)] for name in OURS}
    assert {name: [VALUES[name]] if name in VALUES else [] for name in OURS} == found


@given(texts)
def test_a_second_writing_changes_nothing(text: str) -> None:
    once = LocalText.parse(text).rewritten(VALUES, REMOVED)
    assert once == LocalText.parse(once).rewritten(VALUES, REMOVED)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("A=plain", "A", "plain"),
        ("A = spaced  # said", "A", "spaced"),
        ("export A='quoted # kept'", "A", "quoted # kept"),
        ('A="one\ntwo"\nB=3', "A", "one\ntwo"),
        ("A: yaml", "A", "yaml"),
        ('A="open\nB="closed"', "B", "closed"),
        ("A=\nB=2", "A", ""),
        ("A=# nothing", "A", ""),
        ("\ufeffA=1", "A", "1"),
    ],
)
def test_a_value_is_read_as_the_loader_reads_it(text: str, name: str, expected: str) -> None:
    assert [expected] == [entry.value.reveal() for entry in LocalText.parse(text).of(name)]


def test_a_variable_keeps_its_place_and_a_new_one_comes_last() -> None:
    text = "FIRST=1\r\nMONGODB_URI=old # why\r\nMONGODB_URI_PLANS_WRITE=z\r\nLAST=2"
    uri, writer = VALUES["MONGODB_URI"], VALUES["MONGODB_WRITE_URI"]
    expected = f"FIRST=1\r\nMONGODB_URI={uri}\r\nLAST=2\r\nMONGODB_WRITE_URI={writer}\r\n"
    assert expected == LocalText.parse(text).rewritten(VALUES, REMOVED)


def test_a_file_made_for_a_shell_gets_the_value_in_quotes() -> None:
    assert "export A='b&c'\n" == LocalText.parse("export A=old\n").rewritten({"A": "b&c"}, ())


@pytest.mark.parametrize("value", ["a b", "a'b", "a#b", "a$b", "a\\b", "a\nb", ""])
def test_a_value_that_loaders_read_differently_is_refused(value: str) -> None:
    with pytest.raises(ValueUnwritable):
        LocalText.parse("").rewritten({"A": value}, ())


def test_no_repr_shows_a_value() -> None:
    assert "hunter" not in repr(LocalText.parse("A=hunter22\n"))


def uri(
    user: str, *, host: str = "askflorence-staging.abc.mongodb.net", database: str = "askflorence"
) -> str:
    return f"mongodb+srv://{user}:x7@{host}/{database}?retryWrites=true&w=majority"


def right() -> dict[str, str]:
    return {each.variable: uri(each.user) for each in manifest().bindings_for(LOCAL)}


def found(values: dict[str, str], *, more: str = "", mode: int = 0o600, ignored: bool = True) -> list[str]:
    text = "".join(f"{name}={value}\n" for name, value in values.items()) + more
    facts = LocalFacts("f", mode, ignored, "askflorence-staging")
    return [each.message for each in check(manifest(), LocalText.parse(text), facts).findings]


def test_the_file_as_the_manifest_binds_it_is_clean() -> None:
    assert [] == found(right())


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        # ENG-272: the local reader bound to the cross-cluster reader.
        ({"MONGODB_URI": uri("app_read_staging")}, "MONGODB_URI holds the credential of app_read_staging, not"),
        # ENG-279: one binding missed.
        ({"MONGODB_WRITE_URI": uri("app_read")}, "MONGODB_WRITE_URI holds the credential of app_read, not"),
        ({"MONGODB_URI": uri("somebody")}, "MONGODB_URI holds the credential of another user, not of app_read"),
        ({"MONGODB_URI": "hunter22"}, "MONGODB_URI is no connection string: "),
        ({"MONGODB_URI": ""}, "MONGODB_URI is empty"),
        ({"MONGODB_URI": uri("app_read", database="admin")}, "MONGODB_URI does not name the database askflorence"),
        (
            {"MONGODB_URI": uri("app_read", host="askflorence-prod-01.abc.mongodb.net")},
            "MONGODB_URI does not lead to the public address of cluster askflorence-staging",
        ),
        ({"MONGODB_URI_PLANS_WRITE": uri("app_write")}, "MONGODB_URI_PLANS_WRITE is deprecated; MONGODB_WRITE"),
        ({"MONGODB_URI_ADMIN_SCHEMA": uri("app_admin_schema")}, "MONGODB_URI_ADMIN_SCHEMA belongs to the schema task"),
        ({"MONGODB_REFRENCE_URI": uri("app_read")}, "MONGODB_REFRENCE_URI holds a MongoDB connection string"),
    ],
)  # fmt: skip
def test_each_mistake_is_found_and_its_value_not_shown(changed: dict[str, str], expected: str) -> None:
    result = found(right() | changed)
    assert [True] == [each.startswith(expected) for each in result]
    assert "hunter22" not in result[0]


def test_a_missing_variable_is_found() -> None:
    values = right()
    del values["MONGODB_REFERENCE_URI"]
    assert ["MONGODB_REFERENCE_URI is missing; it is app_read's"] == found(values)


def test_a_variable_that_is_set_again_is_found_and_the_last_one_judged() -> None:
    result = found(right(), more=f"MONGODB_URI={uri('app_write')}\n")
    assert [
        "MONGODB_URI holds the credential of app_write, not of app_read",
        "MONGODB_URI is set again in line 5, which is what counts",
    ] == sorted(result)


def test_a_file_that_others_may_read_or_git_takes_up_is_found() -> None:
    assert ["git does not ignore it", "others may read it (mode 0644)"] == found(
        right(), mode=0o644, ignored=False
    )


def test_a_host_whose_cluster_its_name_does_not_tell_is_unknown_never_clean() -> None:
    values = right() | {"MONGODB_URI": uri("app_read", host="db.example.com")}
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    facts = LocalFacts("f", 0o600, ignored=True, cluster="askflorence-staging")
    assert Status.UNKNOWN is check(manifest(), LocalText.parse(text), facts).status


def test_a_value_that_was_rotated_since_is_found_where_the_stack_is_asked() -> None:
    values = right()
    current = {name: Secret(value.replace("x7", "x8")) for name, value in values.items()}
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    facts = LocalFacts("f", 0o600, ignored=True, cluster="askflorence-staging", current=current)
    findings = check(manifest(), LocalText.parse(text), facts).findings
    assert 4 == len(findings)
    assert "MONGODB_AUDIT_WRITE_URI is not what staging/mongodb/audit-write holds now" in [
        each.message for each in findings
    ]
