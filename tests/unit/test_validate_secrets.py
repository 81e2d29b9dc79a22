"""What validate-secrets does with a credential, and what it says of an account that is not the stack's."""

import pytest

from atlas_access.base import Status
from atlas_access.base.addresses import ClusterAddresses, PrivateEndpoint
from atlas_access.base.endpoints import Endpoints
from atlas_access.guards import validate_secrets
from atlas_access.guards.finding import Report
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
