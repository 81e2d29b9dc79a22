"""A HubSpot emulator: contacts as in its CRM API v3, one portal per access token.

Rules: HubSpot API reference, "Contacts" (create 201, 409 for a known address; read by id or `idProperty=email`;
delete 204 archives).
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_CONTACTS = "/crm/v3/objects/contacts"
Answer = tuple[int, str]


@dataclass
class _Portal:
    """One account's contacts by id."""

    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_id: int = 100


class HubSpot:
    """The stand-in. `portal_of` says which portal an access token opens, None for one that opens none."""

    def __init__(self, portal_of: Callable[[str], str | None]) -> None:
        self._portal_of = portal_of
        self._portals: dict[str, _Portal] = {}
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, authorization: str, body: bytes) -> Answer:
        """Return status and JSON text of a request below HubSpot's address."""
        portal = self._portal_of(authorization.removeprefix("Bearer ").strip())
        if portal is None:
            return _error(401, "INVALID_AUTHENTICATION", "The access token is not valid.")
        url = urlsplit(target)
        with self._lock:
            contacts = self._portals.setdefault(portal, _Portal())
            return self._routed(contacts, method, url.path, parse_qs(url.query), body)

    def _routed(
        self, portal: _Portal, method: str, path: str, query: Mapping[str, list[str]], body: bytes
    ) -> Answer:
        if not path.startswith(_CONTACTS):
            return _error(404, "OBJECT_NOT_FOUND", "There is nothing of that kind here.")
        rest = unquote(path.removeprefix(_CONTACTS).strip("/"))
        try:
            given = json.loads(body or b"{}")
        except ValueError:
            given = None
        if not isinstance(given, dict):
            return _error(400, "VALIDATION_ERROR", "Invalid input JSON.")
        if (method, rest) == ("POST", ""):
            return _create(portal, given)
        found = _find(portal, rest, by_email=query.get("idProperty") == ["email"])
        if method == "DELETE" and rest:
            if found is not None:
                del portal.contacts[found["id"]]
            return 204, ""
        if method != "GET":
            return _error(405, "VALIDATION_ERROR", "That method is not answered here.")
        if found is None:
            return _error(404, "OBJECT_NOT_FOUND", "Object not found.")
        return 200, json.dumps(found)


def _create(portal: _Portal, given: Mapping[str, Any]) -> Answer:
    properties = given.get("properties")
    email = properties.get("email") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(email, str) or not re.fullmatch(r"\S+@\S+", email):
        return _error(400, "VALIDATION_ERROR", "Property values were not valid.")
    known = _find(portal, email, by_email=True)
    if known is not None:
        return _error(409, "CONFLICT", f"Contact already exists. Existing ID: {known['id']}")
    portal.last_id += 1
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    contact: dict[str, Any] = {
        "id": str(portal.last_id),
        "properties": {**properties, "email": email.lower()},
        "createdAt": now,
        "updatedAt": now,
        "archived": False,
    }
    portal.contacts[contact["id"]] = contact
    return 201, json.dumps(contact)


def _find(portal: _Portal, key: str, *, by_email: bool) -> dict[str, Any] | None:
    if not by_email:
        return portal.contacts.get(key)
    wanted = key.lower()
    return next((c for c in portal.contacts.values() if c["properties"]["email"] == wanted), None)


def _error(status: int, category: str, message: str) -> Answer:
    return status, json.dumps({"status": "error", "category": category, "message": message})
