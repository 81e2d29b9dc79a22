"""Outgoing calls of the application: mail by SES, signed with the task role (Signature Version 4), HubSpot contacts."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode, urlsplit

from atlas_access.base import Endpoints
from sandbox.app.failures import ServiceDown

_SECONDS = 10.0
_CONTACTS = "https://api.hubapi.com"
_LARGEST = 65536
_TRIES = 4
_SENDER = "no-reply@example.com"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Outgoing:
    """The two services that a sign-up calls."""

    def __init__(self, environment: Mapping[str, str], endpoints: Endpoints) -> None:
        self._environment = environment
        self._endpoints = endpoints

    def mail(self, recipient: str, subject: str, text: str) -> str:
        """Send a mail and return SES's message id. Raises `ServiceDown`."""
        form = {
            "Action": "SendEmail",
            "Version": "2010-12-01",
            "Source": _SENDER,
            "Destination.ToAddresses.member.1": recipient,
            "Message.Subject.Data": subject,
            "Message.Body.Text.Data": text,
        }
        body = urlencode(form).encode()
        url = self._endpoints.aws or f"https://email.{self._region}.amazonaws.com"
        for _ in range(_TRIES):  # as AWS's own clients do where a request is one too many
            status, answered = self._post("SES", url, body, self._signed(url, body))
            if b"<Code>Throttling" not in answered:
                break
        found = re.search(rb"<MessageId>([^<]+)</MessageId>", answered)
        if status != 200 or found is None:
            raise ServiceDown(f"SES answered {status}")
        return found[1].decode()

    def contact(self, address: str) -> str:
        """Create a contact in HubSpot, or find it there already, and return its id. Raises `ServiceDown`."""
        token = self._environment.get("HUBSPOT_ACCESS_TOKEN", "")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({"properties": {"email": address, "lifecyclestage": "lead"}}).encode()
        url = (self._endpoints.contacts or _CONTACTS).rstrip("/") + "/crm/v3/objects/contacts"
        status, answered = self._post("HubSpot", url, body, headers)
        if status == 409:
            found = re.search(rb"Existing ID: (\d+)", answered)
            return found[1].decode() if found else ""
        if status != 201:
            raise ServiceDown(f"HubSpot answered {status}")
        return str(json.loads(answered)["id"])

    @property
    def _region(self) -> str:
        return self._environment.get("AWS_REGION", "us-east-1")

    def _post(self, name: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        parts = urlsplit(self._endpoints.permit(url))
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.netloc, timeout=_SECONDS)
        try:
            connection.request("POST", parts.path or "/", body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read(_LARGEST)
        except (OSError, HTTPException) as error:
            raise ServiceDown(f"{name} does not answer ({type(error).__name__})") from None
        finally:
            connection.close()

    def _signed(self, url: str, body: bytes) -> dict[str, str]:
        """Return the headers of a signed request (AWS general reference, "Create a signed request")."""
        now = datetime.now(UTC)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        held = self._environment
        headers = {"content-type": _FORM, "host": urlsplit(url).netloc, "x-amz-date": stamp}
        if held.get("AWS_SESSION_TOKEN"):
            headers["x-amz-security-token"] = held["AWS_SESSION_TOKEN"]
        names = ";".join(headers)
        lines = [f"{name}:{value}" for name, value in headers.items()]
        canonical = "\n".join(["POST", "/", "", *lines, "", names, hashlib.sha256(body).hexdigest()])
        scope = f"{day}/{self._region}/ses/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = f"AWS4{held.get('AWS_SECRET_ACCESS_KEY', '')}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hex()
        credential = f"{held.get('AWS_ACCESS_KEY_ID', '')}/{scope}"
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        )
        return headers
