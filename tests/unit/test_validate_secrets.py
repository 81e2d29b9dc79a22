"""What validate-secrets does with a credential, and what it finds in a stored value or in another account."""

from types import SimpleNamespace

import pytest

from atlas_access import clients
from atlas_access.base import Status
from atlas_access.base.addresses import Address, ClusterAddresses, PrivateEndpoint
from atlas_access.base.connection import ConnectionString
from atlas_access.base.endpoints import Endpoints
from atlas_access.cli import guard
from atlas_access.clients import READ_ONLY_KEY, SOAK_KEY
from atlas_access.clients.mongo_answers import Login
from atlas_access.guards import validate_secrets
from atlas_access.guards.finding import Report
from atlas_access.guards.stored_values import Wanted, host_problem, login_problem, problems, wanted_in
from atlas_access.guards.validate_secrets import Cluster, Place
from tests.unit.manifests import manifest

PASSWORD = "hR7" + "kq2Zt9XwLm"
ACCOUNT = "111122223333"
ADDRESSES = ClusterAddresses(
    "askflorence-staging",
    "",
    "mongodb+srv://askflorence-staging.ab1cd.mongodb.net",
    (PrivateEndpoint("", "mongodb+srv://askflorence-staging-pl-0.ab1cd.mongodb.net"),),
)


class Asked(Exception):
    """A server was about to be given a credential."""


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        raise Asked

    monkeypatch.setattr(validate_secrets, "Server", opened)
    monkeypatch.setattr("atlas_access.clients.other_account.account_id", lambda **_: ACCOUNT)


def judged(
    monkeypatch: pytest.MonkeyPatch, host: str, addresses: ClusterAddresses | None, account: str = ACCOUNT
) -> Report:
    value = f"mongodb+srv://app_read:{PASSWORD}@{host}/askflorence?retryWrites=true&w=majority"
    monkeypatch.setattr(validate_secrets, "read_connection_string", lambda *_, **__: value)
    clusters = {"staging": Cluster("askflorence-staging", addresses, "Atlas answered 403")}
    return validate_secrets.check(manifest(), Place("staging", account, "us-east-1"), clusters, Endpoints())


def notes(found: Report) -> set[str]:
    return {note.message for note in found.notes if note.status is Status.UNKNOWN}


@pytest.mark.parametrize("network", ["evil0", "ab1cd"])
def test_a_host_that_atlas_has_not_named_is_sent_no_credential_and_is_not_judged(
    network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judged(monkeypatch, f"askflorence-staging.{network}.mongodb.net", None)
    assert "host not judged, and not logged in: Atlas answered 403" in notes(found)


def test_a_host_that_atlas_has_named_is_logged_in_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Asked):
        judged(monkeypatch, "askflorence-staging.ab1cd.mongodb.net", ADDRESSES)


def test_credentials_of_another_account_say_nothing_of_the_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, "askflorence-staging.ab1cd.mongodb.net", ADDRESSES, "999988887777")
    result = "not read: these credentials act in AWS account 111122223333, but staging is 999988887777"
    assert (Status.UNKNOWN, {result}) == (found.status, notes(found))


def test_that_only_current_versions_are_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, "db.invalid.mongodb.net", None)
    assert ["AWSCURRENT"] == [note.place.path for note in found.notes if "tasks hold" in note.message]


WANTED = Wanted("staging/mongodb/app-read-v2", "app_read", "staging", Address.PUBLIC, "askflorence")
PRIVATE = Wanted("prod/mongodb/reference-uri-v2", "app_read", "staging", Address.PRIVATE, "askflorence")
OPTIONS = "retryWrites=true&w=majority"
SRV = f"mongodb+srv://app_read:{PASSWORD}@askflorence-staging.ab1cd.mongodb.net/askflorence?{OPTIONS}"


def messages_for(value: str, wanted: Wanted = WANTED) -> list[str]:
    return [what for what, _ in problems(wanted, ConnectionString.parse(value), frozenset({"app_write"}))]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (SRV, []),
        (SRV.replace("app_read", "app_write"), ["holds the credential of app_write, not of app_read"]),
        (SRV.replace("app_read", "root"), ["holds the credential of another user, not of app_read"]),
        (SRV.replace("/askflorence?", "/admin?"), ["does not name the database askflorence"]),
        (SRV.replace("w=majority", "w=1"), ["has the option w, which weakens the connection"]),
        (SRV + "&tls=false", ["has the option tls, which weakens the connection"]),
        (f"mongodb://app_read:{PASSWORD}@h1.ab1cd.mongodb.net/askflorence?{OPTIONS}",
         ["lacks the option authSource=admin"]),
    ],
)  # fmt: skip
def test_a_stored_value_has_the_right_user_database_and_options(value: str, expected: list[str]) -> None:
    assert expected == messages_for(value)


@pytest.mark.parametrize(
    ("host", "wanted", "addresses", "expected"),
    [
        ("askflorence-staging.ab1cd.mongodb.net", WANTED, ADDRESSES, ""),
        ("askflorence-prod-01.ab1cd.mongodb.net", WANTED, ADDRESSES, "wrong"),
        ("askflorence-staging-pl-0.ab1cd.mongodb.net", PRIVATE, ADDRESSES, ""),
        ("askflorence-staging.ab1cd.mongodb.net", PRIVATE, ADDRESSES, "wrong"),
        ("askflorence-staging.ab1cd.mongodb.net", WANTED, None, ""),
        ("askflorence-staging2.ab1cd.mongodb.net", WANTED, None, "wrong"),
        ("askflorence-staging-pl-0.ab1cd.mongodb.net", WANTED, None, "wrong"),
        ("askflorence-staging-pl-0.ab1cd.mongodb.net", PRIVATE, None, ""),
        ("db.internal.example.com", WANTED, None, None),
    ],
)
def test_a_stored_values_host_is_the_clusters(
    host: str, wanted: Wanted, addresses: ClusterAddresses | None, expected: str | None
) -> None:
    value = ConnectionString.parse(f"mongodb+srv://app_read:{PASSWORD}@{host}/askflorence")
    found = host_problem(wanted, value, addresses, "askflorence-staging")
    assert expected == ("wrong" if found else found)


def test_a_login_that_nobody_answered_is_no_refusal() -> None:
    assert ["", "is refused by the server", None] == [
        login_problem(each) for each in (Login.DONE, Login.REFUSED, Login.UNREACHABLE)
    ]


def test_every_secret_that_a_task_receives_is_asked_for_once() -> None:
    assert [
        "prod/mongodb/app-read-v2",
        "prod/mongodb/reference-uri-v2",
        "prod/mongodb/app-write-v2",
        "prod/mongodb/audit-write",
        "prod/mongodb/admin-schema",
    ] == [each.secret for each in wanted_in(manifest(), "prod")]


def test_another_projects_hosts_are_asked_for_with_a_key_of_that_project(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without one they are unknown, and the message names the variables and the project."""
    settings = SimpleNamespace(atlas_project_id="p", atlas_cluster="c")
    monkeypatch.setattr(guard.inputs, "read_settings", lambda *_: settings)
    monkeypatch.setattr(
        clients, "cluster_addresses", lambda project, cluster, sign_in, endpoints: sign_in.name
    )
    for name, value in zip((*READ_ONLY_KEY, *SOAK_KEY), ("prod", "x", "", ""), strict=True):
        monkeypatch.setenv(name, value)
    asked = [guard._cluster(each, "prod", Endpoints()) for each in ("prod", "staging")]
    assert ["prod", None] == [each.addresses for each in asked]
    assert all(word in asked[1].why for word in (*SOAK_KEY, "staging's project"))
    monkeypatch.setenv(SOAK_KEY[0], "staging")
    monkeypatch.setenv(SOAK_KEY[1], "x")
    assert "staging" == guard._cluster("staging", "prod", Endpoints()).addresses
