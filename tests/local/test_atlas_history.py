"""Reading logins out of a server's log."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from sandbox.atlas.history import logins, read_line

NOW = datetime(2026, 5, 8, 12, 0, tzinfo=UTC)


def line(identity: int, when: str = "2026-05-08T11:00:00.123+00:00", **said: Any) -> str:
    return json.dumps(
        {"t": {"$date": when}, "s": "I", "c": "ACCESS", "id": identity, "attr": said}, separators=(",", ":")
    )


SIX = {"principalName": "app", "authenticationDatabase": "admin", "remote": "127.0.0.1:4242"}
EIGHT = {"user": "app", "db": "admin", "client": "127.0.0.1:4242"}


@pytest.mark.parametrize(("identity", "said"), [(20250, SIX), (5286306, EIGHT)])
def test_a_login_is_read_from_the_log_of_an_old_and_a_new_server(identity: int, said: dict[str, str]) -> None:
    login = read_line(line(identity, **said))
    assert login is not None
    found = (login.username, login.database, login.address, login.succeeded)
    assert found == ("app", "admin", "127.0.0.1", True)


@pytest.mark.parametrize(("identity", "said"), [(20249, SIX), (5286307, EIGHT)])
def test_a_failed_login_carries_its_reason(identity: int, said: dict[str, str]) -> None:
    login = read_line(line(identity, **said, error="AuthenticationFailed: no"))
    assert login is not None
    shown = login.json_object("p1", "127.0.0.1")
    assert (shown["authResult"], shown["failureReason"]) == (False, "AuthenticationFailed: no")


def test_a_user_excluded_from_the_cluster_is_listed_as_unknown(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    accepted = (
        '{"id":22943,  "attr":{"remote":"127.0.0.1:4242","uuid":"u","connectionId":8,"connectionCount":6}}'
    )
    kept_out = json.loads(line(20240, user={"user": "app", "db": "admin"}, reason="Restriction unmet"))
    log.write_text("\n".join([accepted, json.dumps({**kept_out, "ctx": "conn8"}, separators=(",", ":"))]))
    (login,) = logins(log, now=NOW)
    shown = login.json_object("p1", "127.0.0.1")
    assert (shown["ipAddress"], shown["authResult"], shown["failureReason"]) == (
        "127.0.0.1",
        False,
        'UserNotFound: Could not find user "app" for db "admin"',
    )
    assert "Restriction" not in shown["logLine"]


@pytest.mark.parametrize(("identity", "said"), [(20249, SIX), (5286307, EIGHT)])
def test_a_wrong_password_of_an_excluded_user_is_an_unknown_user(identity: int, said: dict[str, str]) -> None:
    mismatch = "AuthenticationFailed: SCRAM authentication failed, storedKey mismatch"
    login = read_line(line(identity, **said, error=mismatch), kept_out={"app"})
    assert login is not None
    assert 'UserNotFound: Could not find user "app" for db "admin"' == login.reason
    assert "storedKey" not in login.line


@pytest.mark.parametrize(
    "text", ["", "{}", "no json", '{"id":20250}', line(22943), line(20250, principalName="__system")]
)
def test_other_lines_and_the_servers_own_logins_are_left_out(text: str) -> None:
    assert read_line(text) is None


def test_only_seven_days_are_kept_and_hidden_users_are_left_out(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    old = line(20250, "2026-05-01T11:59:59.000+00:00", **SIX)
    root = line(20250, **{**SIX, "principalName": "root"})
    log.write_text("\n".join([old, root, line(20250, **SIX), "torn li"]))
    assert [login.moment.day for login in logins(log, hidden=("root",), now=NOW)] == [8]


def test_a_missing_log_holds_no_logins(tmp_path: Path) -> None:
    assert list(logins(tmp_path / "none", now=NOW)) == list(logins(None, now=NOW)) == []


@pytest.mark.thorough
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_any_json_line_is_read_or_left_out(value: Any) -> None:
    read_line(json.dumps(value))
    read_line(json.dumps({"t": {"$date": value}, "id": 20250, "attr": value}))
