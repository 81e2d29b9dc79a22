"""Digest sign-in and service accounts, without a server."""

import base64
import hashlib
import re
from typing import Any

import pytest

from sandbox.atlas.auth import TOKENS_A_MINUTE, Credential, Keyring
from sandbox.atlas.errors import AtlasError

KEY = Credential("public", "private-key", "p1")
ACCOUNT = Credential("mdb_sa_id_1", "mdb_sa_sk_1", "p1", "service account")
TARGET = "/api/atlas/v2/groups/p1?pretty=true"


def challenge(keyring: Keyring, authorization: str = "") -> str:
    with pytest.raises(AtlasError) as refusal:
        keyring.identify("GET", TARGET, authorization)
    assert refusal.value.status == 401
    return refusal.value.headers["WWW-Authenticate"]


def answer(said: str, secret: str, *, method: str = "GET", target: str = TARGET, **changes: Any) -> str:
    # The provider's library splits the challenge on comma and blank.
    parameters = dict(part.split("=", 1) for part in said.removeprefix("Digest ").split(", "))
    values = {name: value.strip('"') for name, value in parameters.items()} | changes

    def digest(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    first, second = digest("public", values["realm"], secret), digest(method, target)
    response = digest(first, values["nonce"], "00000001", "cnonce", "auth", second)
    return (
        f'Digest username="public", realm="{values["realm"]}", nonce="{values["nonce"]}", uri="{target}", '
        f'response="{response}", qop=auth, nc=00000001, cnonce="cnonce", algorithm={values["algorithm"]}'
    )


def test_a_key_that_answers_the_challenge_is_known() -> None:
    keyring = Keyring([KEY])
    assert keyring.identify("GET", TARGET, answer(challenge(keyring), "private-key")) == KEY


@pytest.mark.parametrize(
    ("secret", "changes", "expected"),
    [("another-key", {}, "stale=false"), ("private-key", {"target": "/api/atlas/v2/x"}, "stale=false")],
    ids=["a wrong private key", "an answer for another address"],
)
def test_a_wrong_answer_is_challenged_again(secret: str, changes: dict[str, str], expected: str) -> None:
    keyring = Keyring([KEY])
    assert expected in challenge(keyring, answer(challenge(keyring), secret, **changes))


def test_a_nonce_of_another_server_is_stale() -> None:
    foreign = answer(challenge(Keyring([KEY])), "private-key")
    assert "stale=true" in challenge(Keyring([KEY]), foreign)


@pytest.mark.parametrize(
    "authorization",
    [
        "Digest",
        "Digest ,",
        'Digest username="public"',
        "Digest =,=",
        "Bearer x",
        "Basic eA==",
        "Bearer",
        "x y z",
    ],
)
def test_a_broken_header_is_challenged(authorization: str) -> None:
    assert challenge(Keyring([KEY]), authorization).startswith("Digest ")


def test_no_value_of_the_challenge_holds_a_comma_and_a_blank() -> None:
    said = challenge(Keyring([KEY]))
    assert all(re.fullmatch(r'\w+="?[^",]*"?', part) for part in said.removeprefix("Digest ").split(", "))


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def test_a_token_signs_in_for_an_hour() -> None:
    keyring = Keyring([ACCOUNT])
    login = basic("mdb_sa_id_1", "mdb_sa_sk_1")
    status, body, _ = keyring.token(login, "client_credentials")
    assert (status, body["expires_in"], body["token_type"]) == (200, 3600, "Bearer")
    assert keyring.identify("GET", TARGET, f"Bearer {body['access_token']}") == ACCOUNT


@pytest.mark.parametrize(
    "login",
    [basic("mdb_sa_id_1", "wrong"), basic("nobody", "mdb_sa_sk_1"), "Basic %%%", "Basic é", "", "Bearer x"],
)
def test_a_wrong_service_account_gets_no_token(login: str) -> None:
    assert Keyring([ACCOUNT]).token(login, "client_credentials")[0] == 401


def test_another_grant_than_client_credentials_is_refused() -> None:
    status, body, _ = Keyring([ACCOUNT]).token(basic("mdb_sa_id_1", "mdb_sa_sk_1"), "password")
    assert (status, body) == (400, {"error": "unsupported_grant_type"})


def test_the_eleventh_token_in_a_minute_is_refused_with_a_wait() -> None:
    keyring = Keyring([ACCOUNT])
    login = basic("mdb_sa_id_1", "mdb_sa_sk_1")
    statuses = [keyring.token(login, "client_credentials")[0] for _ in range(TOKENS_A_MINUTE)]
    status, body, headers = keyring.token(login, "client_credentials")
    assert (set(statuses), status, body["errorCode"]) == ({200}, 429, "RATE_LIMITED")
    assert 1 <= int(headers["Retry-After"]) <= 60


def test_a_credential_does_not_show_its_secret() -> None:
    assert "private-key" not in repr(KEY)
