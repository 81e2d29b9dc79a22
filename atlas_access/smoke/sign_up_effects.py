"""The effects of one sign-up and their removal: a row in MongoDB, a mail by SES, a contact in another service.

Each effect is found by the sign-up's own unique address, and nothing else is read or removed. A credential is held only
while it is used.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from atlas_access.base import ConnectionInvalid, ConnectionString, EndpointRefused, Endpoints
from atlas_access.clients import (
    Answer,
    AwsUnavailable,
    HttpReply,
    Logs,
    Retry,
    Server,
    Unanswered,
    mail_event,
    session,
)
from atlas_access.smoke.model import Contact, fill

_WAIT_SECONDS = 10.0
_SECONDS = 15.0
_MOST_FOUND = 10
_MAIL_FAILED = frozenset({"Bounce", "Complaint", "Reject", "Rendering Failure"})
"""SES's events of a mail that did not arrive, or was not wanted."""


class EffectFailed(Exception):
    """An effect was tried and failed, by the word of who did it; one line, without any value."""


class EffectUnknown(Exception):
    """An effect cannot be observed, so nothing is known of it: one line that says why, without any value."""


class Effect:
    """One effect of a sign-up; `name` is what reports call it. What cannot be observed raises EffectUnknown.

    `pending` is what shows that an effect which is not there yet has begun; "" for nothing.
    """

    name: str
    pending: str = ""

    def observed(self, email: str) -> bool:
        """Whether the sign-up of this address had this effect."""
        raise NotImplementedError

    def remove(self, email: str) -> bool:  # noqa: ARG002 - a mail that was sent stays sent, in the team's own mailbox
        """Undo it; returns whether nothing of it is left. What cannot be undone is true."""
        return True

    def close(self) -> None:
        """Let go of connections: most effects hold none."""


@dataclass
class RowEffect(Effect):
    """A row in a collection, found by a field that holds the address."""

    connection: ConnectionString = field(repr=False)
    collection: str
    field_name: str
    variable: str
    endpoints: Endpoints
    default_database: str
    _server: Server | None = None

    def __post_init__(self) -> None:
        """Name it after its collection."""
        self.name = f"row in {self.collection}"

    def observed(self, email: str) -> bool:
        """Whether a row is there."""
        reply = self._open().command(
            self._database,
            {
                "find": self.collection,
                "filter": {self.field_name: email},
                "limit": 1,
                "projection": {"_id": 1},
            },
        )
        if not reply.answer.ok:
            raise EffectUnknown(self._refused("read", reply.answer))
        return bool(reply.document["cursor"]["firstBatch"])

    def remove(self, email: str) -> bool:
        """Delete the address's rows, and look again."""
        deletes = [{"q": {self.field_name: email}, "limit": 0}]
        reply = self._open().command(self._database, {"delete": self.collection, "deletes": deletes})
        if not reply.answer.ok:
            raise EffectUnknown(self._refused("remove", reply.answer))
        return not self.observed(email)

    def close(self) -> None:
        """Close the connection."""
        if self._server is not None:
            self._server.close()

    @property
    def _database(self) -> str:
        return self.connection.database or self.default_database

    def _open(self) -> Server:
        if self._server is None:
            try:
                self._server = Server(self.connection, self.endpoints, wait_seconds=_WAIT_SECONDS)
            except (EndpointRefused, ValueError) as error:
                raise EffectUnknown(f"{self.name}: {error}") from None
        return self._server

    def _refused(self, verb: str, answer: Answer) -> str:
        why = str(answer.failure or f"code {answer.code}{f' {answer.code_name}' if answer.code_name else ''}")
        return f"{self.name}: the credential of {self.variable} could not {verb} it ({why})"


def row_effect(
    text: str, *, collection: str, field_name: str, variable: str, endpoints: Endpoints, database: str
) -> RowEffect:
    """The row's effect by a connection string. Raises EffectUnknown for one that is none."""
    try:
        connection = ConnectionString.parse(text)
    except ConnectionInvalid:
        raise EffectUnknown(f"the secret of {variable} holds no connection string") from None
    return RowEffect(connection, collection, field_name, variable, endpoints, database)


@dataclass
class MailLogEffect(Effect):
    """A mail, by the events that SES publishes to a log group for it. Accepted is not delivered."""

    logs: Logs
    since: float
    name = "SES mail"

    def observed(self, email: str) -> bool:
        """Whether an event says that a mail to the address was delivered; EffectFailed where one says it was not."""
        try:
            found = {mail_event(line, email) for line in self.logs.lines((email,), self.since)} - {""}
        except AwsUnavailable as error:
            raise EffectUnknown(f"{self.name}: {error}; have SES publish its events there") from None
        failed = sorted(found & _MAIL_FAILED)
        if failed:
            raise EffectFailed(f"{self.name}: SES reports {' and '.join(failed)}")
        self.pending = f"SES reports {' and '.join(sorted(found))}, but no Delivery" if found else ""
        return "Delivery" in found


@dataclass
class MailAddressEffect(Effect):
    """A mail, by an address that lists what was sent: `GET …?to=ADDRESS` answers `{"messages": […]}`.

    For a deployment that offers one (the sandbox does); named by ATLAS_ACCESS_MAIL_URL.
    """

    url: str
    endpoints: Endpoints
    name = "SES mail"

    def observed(self, email: str) -> bool:
        """Whether a message to the address is listed."""
        answer = _get(self.name, self.url, self.endpoints, {}, params={"to": email})
        messages = answer.get("messages")
        if not isinstance(messages, list):
            raise EffectUnknown(f"{self.name}: the address of sent mail answers no list of messages")
        return bool(messages)


@dataclass
class ContactEffect(Effect):
    """A contact in another service, found by its address and removed by its id, as smoke.yaml describes it."""

    contact: Contact
    token: str = field(repr=False)
    endpoints: Endpoints

    def __post_init__(self) -> None:
        """Name it as smoke.yaml does."""
        self.name = self.contact.name

    def observed(self, email: str) -> bool:
        """Whether the contact is there."""
        return bool(self._id(email))

    def remove(self, email: str) -> bool:
        """Archive the contact, and look again."""
        for _ in range(_MOST_FOUND):
            found = self._id(email)
            if not found:
                return True
            url = self._url(self.contact.remove, id=found)
            status = _send(self.name, "DELETE", url, self.endpoints, self._headers).status
            if status not in (200, 204, 404):
                raise EffectUnknown(f"{self.name}: its removal was answered {status}")
        return False

    def _url(self, path: str, **values: str) -> str:
        """The address of a request; `values` are written as parts of a path."""
        base = (self.endpoints.contacts or self.contact.url).rstrip("/")
        return base + str(fill(path, {name: quote(value, safe="") for name, value in values.items()}))

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _id(self, email: str) -> str:
        """The contact's id, "" when there is none."""
        url = self._url(self.contact.find, email=email)
        answer = _get(self.name, url, self.endpoints, self._headers, absent={})
        return str(answer.get(self.contact.id, "")) if answer else ""


def _get(
    name: str,
    url: str,
    endpoints: Endpoints,
    headers: dict[str, str],
    *,
    params: dict[str, str] | None = None,
    absent: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Ask for a JSON object; `absent` is what 404 means, where it means something. Raises EffectUnknown."""
    reply = _send(name, "GET", url, endpoints, headers, params=params)
    if reply.status == 404 and absent is not None:
        return absent
    if reply.status != 200:
        raise EffectUnknown(f"{name}: asking for it was answered {reply.status}")
    try:
        found = json.loads(reply.text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise EffectUnknown(f"{name}: asking for it was answered with no object")
    return found


def _send(
    name: str, method: str, url: str, endpoints: Endpoints, headers: dict[str, str], **more: Any
) -> HttpReply:
    try:
        with session(endpoints) as opened:
            return Retry(_SECONDS).ask(opened, method, url, repeat=True, headers=headers, **more)
    except EndpointRefused as refused:
        raise EffectUnknown(f"{name}: {refused}") from None
    except Unanswered as unanswered:
        raise EffectUnknown(f"{name}: asking for it failed ({unanswered.why})") from None


def close_all(effects: tuple[Effect, ...]) -> None:
    """Let go of every connection, whatever happens."""
    for effect in effects:
        with suppress(Exception):
            effect.close()
