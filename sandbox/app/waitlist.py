"""An agent's sign-up: a row in MongoDB first, then a mail, a HubSpot contact and a mirror count."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from sandbox.app.builds import Use
from sandbox.app.databases import Databases
from sandbox.app.failures import BadRequest
from sandbox.app.outgoing import Outgoing

_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}")
_SUBJECT = "You are on the list"
_TEXT = "Thank you for signing up. We will write when your place is ready."


class Waitlist:
    """Takes sign-ups."""

    def __init__(self, databases: Databases, outgoing: Outgoing) -> None:
        self._databases = databases
        self._outgoing = outgoing

    def join(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer `POST /api/agent-waitlist`; 409 for an address that is on the list."""
        address, state = body.get("email"), body.get("state", "UT")
        if not isinstance(address, str) or _ADDRESS.fullmatch(address) is None:
            raise BadRequest("email must be an address such as name@example.com")
        if not isinstance(state, str) or re.fullmatch(r"[A-Z]{2}", state) is None:
            raise BadRequest("state must be two letters")
        address = address.lower()
        rows = self._databases.of(Use.WAITLIST).agent_waitlist_submissions
        now = datetime.now(UTC)
        try:
            row = rows.insert_one({"email": address, "state": state, "submitted_at": now})
        except DuplicateKeyError:
            raise BadRequest("this address is on the list already", 409) from None
        message = self._outgoing.mail(address, _SUBJECT, _TEXT)
        contact = self._outgoing.contact(address)
        # One count for all: a row per sign-up would be one more trace of a person to clear away.
        self._databases.of(Use.SYNC).hubspot_sync_log.update_one(
            {"_id": "mirrored"}, {"$inc": {"contacts": 1}, "$set": {"at": now}}, upsert=True
        )
        return {
            "joined": True,
            "id": str(row.inserted_id),
            "mail_message_id": message,
            "hubspot_contact_id": contact,
        }
