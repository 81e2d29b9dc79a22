"""The stand-in for HubSpot: contacts as its API has them, one portal for each token."""

import json
from typing import Any

import pytest

from sandbox.hubspot import HubSpot

CONTACTS = "/crm/v3/objects/contacts"
FIRST, SECOND = "token-a", "token-b"
TOKENS = {FIRST: "a", SECOND: "b"}


@pytest.fixture
def hubspot() -> HubSpot:
    return HubSpot(TOKENS.get)


def ask(hubspot: HubSpot, method: str, path: str, body: object = None, token: str = FIRST) -> tuple[int, Any]:
    payload = b"" if body is None else json.dumps(body).encode()
    status, text = hubspot.answer(method, CONTACTS + path, f"Bearer {token}", payload)
    return status, json.loads(text) if text else None


def create(hubspot: HubSpot, email: str = "one@example.com", token: str = FIRST) -> tuple[int, Any]:
    return ask(hubspot, "POST", "", {"properties": {"email": email}}, token)


def test_a_known_address_is_a_conflict_that_names_the_contact(hubspot: HubSpot) -> None:
    _, made = create(hubspot)
    status, answer = create(hubspot, "ONE@example.com")
    assert (409, f"Contact already exists. Existing ID: {made['id']}") == (status, answer["message"])


@pytest.mark.parametrize("token", ["", "token-c"])
def test_a_token_that_opens_no_portal_is_refused(hubspot: HubSpot, token: str) -> None:
    status, answer = create(hubspot, token=token)
    assert (401, "INVALID_AUTHENTICATION") == (status, answer["category"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "", {"properties": {"email": "none"}}, 400),
        ("POST", "", ["not an object"], 400),
        ("POST", "/search", {}, 405),
        ("PUT", "/1", {}, 405),
        ("GET", "/../companies", None, 404),
    ],
)
def test_what_is_not_understood_is_refused(
    hubspot: HubSpot, method: str, path: str, body: object, status: int
) -> None:
    assert status == ask(hubspot, method, path, body)[0]
