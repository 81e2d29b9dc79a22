"""Faults that copies of a client had: a cut list that read as calm, and one answer "later" that read as unknown."""

from pathlib import Path
from typing import Any

import pytest
from drift_fixture import PROJECT, endpoints
from http_fixture import Answered, Request, serving

from atlas_access.cli import guard
from atlas_access.rollout import observe_soak

KEY = {"ATLAS_ACCESS_SOAK_ATLAS_PUBLIC_KEY": "public", "ATLAS_ACCESS_SOAK_ATLAS_PRIVATE_KEY": "private"}
ACCOUNT = {"ATLAS_ACCESS_SOAK_ATLAS_CLIENT_ID": "id", "ATLAS_ACCESS_SOAK_ATLAS_CLIENT_SECRET": "secret"}
WALL = 1_700_000_000.0


@pytest.fixture(autouse=True)
def no_other_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {**KEY, **ACCOUNT}:
        monkeypatch.delenv(name, raising=False)


def history(count: int) -> Answered:
    """Some failed logins of the access history."""
    one = {"username": "app_read", "groupId": PROJECT, "timestamp": "2023-11-14T22:00:00Z"}
    return Answered({"accessLogs": [one] * count})


def soak(url: str, monkeypatch: pytest.MonkeyPatch, credentials: dict[str, str] = KEY) -> Any:
    """What the soak says of failed logins, a fresh process's credentials given."""
    for name, value in credentials.items():
        monkeypatch.setenv(name, value)
    before = observe_soak.Preceding(
        "staging", "1", "us-east-1", "cluster", "service", "", PROJECT, "staging", 30
    )
    return observe_soak._logins(before, endpoints(url), WALL - 1800, WALL)


def test_failed_logins_of_a_cut_list_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: history(20_000)) as url:
        found = soak(url, monkeypatch)
    assert "more than 20000 failed logins" in str(found)


def test_failed_logins_are_counted_when_atlas_answers_later(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Request] = []

    def busy_once(request: Request) -> Answered:
        asked.append(request)
        return Answered({}, 503) if len(asked) == 1 else history(len(asked))

    with serving(busy_once) as url:
        found = soak(url, monkeypatch)
    assert observe_soak.spike(observe_soak.LOGINS, 2, 3) == found


def test_failed_logins_are_read_with_a_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Request) -> Answered:
        if request.path == "/api/oauth/token":
            return Answered({"access_token": "token", "expires_in": 3600, "token_type": "Bearer"})
        return history(0) if request.headers.get("authorization") == "Bearer token" else Answered({}, 401)

    with serving(answer) as url:
        found = soak(url, monkeypatch, ACCOUNT)
    assert observe_soak.spike(observe_soak.LOGINS, 0, 0) == found


def test_a_rate_limit_does_not_make_a_clusters_addresses_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def limited_once(request: Request) -> Answered:
        asked.append(request.path)
        if len(asked) == 1:
            return Answered({}, 429, {"Retry-After": "0"})
        *_, project, _, cluster = request.path.split("/")
        strings = {"standard": "mongodb://shard-00.ab1cd.mongodb.net:27017"}
        return Answered(
            {"name": cluster, "groupId": project, "mongoDBVersion": "8.0.4", "connectionStrings": strings}
        )

    monkeypatch.chdir(Path(__file__).parents[2])
    monkeypatch.setenv("ATLAS_DRIFT_CHECK_PUBLIC_KEY", "public")
    monkeypatch.setenv("ATLAS_DRIFT_CHECK_PRIVATE_KEY", "private")
    with serving(limited_once) as url:
        found = guard._cluster("staging", "staging", endpoints(url))
    assert found.addresses is not None, found.why
    assert "mongodb://shard-00.ab1cd.mongodb.net:27017" == found.addresses.standard


def test_an_error_keeps_what_the_service_said_and_redacts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Resource not found at mongodb+srv://app:hR7kq2Zt9@cluster.example.com"
    body = {"error": 404, "errorCode": "CLUSTER_NOT_FOUND", "detail": said}
    with serving(lambda _: Answered(body, 404)) as url:
        found = str(soak(url, monkeypatch))
    assert "CLUSTER_NOT_FOUND: Resource not found at mongodb+srv://app:***@cluster.example.com" in found
    assert "hR7kq2Zt9" not in found
