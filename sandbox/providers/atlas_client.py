"""The mongodbatlas provider's API client: digest or bearer authentication, the provider's error messages."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPDigestAuth

from sandbox.providers.addresses import loopback, required
from sandbox.providers.errors import ProviderError
from sandbox.values import Properties

SETTINGS: Final = frozenset({"publicKey", "privateKey", "clientId", "clientSecret", "baseUrl"})
"""The provider settings that mean something here."""

_API: Final = "/api/atlas/v2"
_TIMEOUT: Final = (5.0, 60.0)  # seconds to connect and to wait for an answer
_BEFORE_EXPIRY: Final = 60.0  # seconds before its end at which a bearer token is renewed


class AtlasError(ProviderError):
    """An answer of the Admin API that is not a success."""

    def __init__(self, method: str, url: str, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        reason = body.get("reason") or ""
        super().__init__(
            f"{url} {method}: HTTP {status} {reason} "
            f'(Error code: "{body.get("errorCode") or ""}") '
            f"Detail: {body.get('detail') or ''} Reason: {reason}. Params: {body.get('parameters') or []}"
        )


@dataclass(frozen=True)
class Credentials:
    """An API key or a service account; at most one of the two is used."""

    public_key: str = ""
    private_key: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class AtlasClient:
    """What the mongodbatlas tables work with. Thread-safe; connections are kept."""

    def __init__(self, environment: Mapping[str, str], settings: Properties) -> None:
        self._base, self._credentials = _where_and_who(environment, settings)
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.mount("http://", HTTPAdapter(pool_maxsize=16))
        self._http.mount("https://", HTTPAdapter(pool_maxsize=16))
        self._token: tuple[str, float] = ("", 0.0)
        self._lock = Lock()
        self._role_locks: dict[str, Lock] = {}

    def role_lock(self, project: str) -> Lock:
        """The lock under which the project's roles are changed: the API bears one change at a time."""
        with self._lock:
            return self._role_locks.setdefault(project, Lock())

    def call(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        name: str,
        operation: str,
        version: str = "2023-01-01",
        body: Properties | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Properties:
        """Call the API below `groups/` and return the answer's body; raises AtlasError, ProviderError."""
        url = f"{self._base}{_API}/groups/" + "/".join(quote(part, safe="") for part in path)
        media = f"application/vnd.atlas.{version}+json"
        sent = {"Accept": media, "User-Agent": f"sandbox-mongodbatlas Name/{name} Operation/{operation}"}
        if body is not None:
            sent["Content-Type"] = media
        answer = self._send(method, url, {**sent, **(headers or {})}, body, query)
        return _body(answer, method, url)

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Properties | None,
        query: Mapping[str, str] | None,
    ) -> requests.Response:
        try:
            return self._http.request(
                method,
                url,
                headers=dict(headers),
                json=body,
                params=query,
                auth=self._auth(),
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ProviderError(f"{url} {method}: {type(error).__name__}: no answer from Atlas") from error

    def _auth(self) -> AuthBase:
        who = self._credentials
        if who.client_id:
            return _Bearer(self._bearer_token())
        # A fresh one per request: the provider never signs in ahead of a challenge.
        return HTTPDigestAuth(who.public_key, who.private_key)

    def _bearer_token(self) -> str:
        with self._lock:
            token, until = self._token
            if time.monotonic() >= until:
                token, lifetime = self._fetch_token()
                self._token = (token, time.monotonic() + max(0.0, lifetime - _BEFORE_EXPIRY))
            return token

    def _fetch_token(self) -> tuple[str, float]:
        url = f"{self._base}/api/oauth/token"
        try:
            answer = self._http.post(
                url,
                data={"grant_type": "client_credentials"},
                auth=(self._credentials.client_id, self._credentials.client_secret),
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ProviderError(f"{url} POST: {type(error).__name__}: no answer from Atlas") from error
        body = _body(answer, "POST", url)
        return str(body["access_token"]), float(body.get("expires_in", 3600))


def _body(answer: requests.Response, method: str, url: str) -> Properties:
    try:
        body = answer.json() if answer.content else {}
    except ValueError:
        body = {}
        if answer.ok:
            raise ProviderError(
                f"{url} {method}: HTTP {answer.status_code} with a body that is not JSON"
            ) from None
    body = body if isinstance(body, dict) else {}
    if not 200 <= answer.status_code < 300:
        raise AtlasError(method, url, answer.status_code, {"reason": answer.reason, **body})
    return body


def _where_and_who(environment: Mapping[str, str], settings: Properties) -> tuple[str, Credentials]:
    """Base URL and credentials, both from the settings or both from the environment."""
    given = any(settings.get(name) for name in ("publicKey", "privateKey", "clientId", "clientSecret"))
    if given != bool(settings.get("baseUrl")):
        raise ProviderError(
            "mongodbatlas: base URL and credentials must come from one place: "
            "give both as provider settings or neither"
        )
    if given:
        base = loopback(settings["baseUrl"], "baseUrl")
        return base, Credentials(
            public_key=settings.get("publicKey", ""),
            private_key=settings.get("privateKey", ""),
            client_id=settings.get("clientId", ""),
            client_secret=settings.get("clientSecret", ""),
        )
    base = loopback(required(environment, "MONGODB_ATLAS_BASE_URL"), "MONGODB_ATLAS_BASE_URL")
    if environment.get("MONGODB_ATLAS_CLIENT_ID"):
        secret = required(environment, "MONGODB_ATLAS_CLIENT_SECRET")
        return base, Credentials(client_id=environment["MONGODB_ATLAS_CLIENT_ID"], client_secret=secret)
    return base, Credentials(
        public_key=required(environment, "MONGODB_ATLAS_PUBLIC_API_KEY", "MONGODB_ATLAS_PUBLIC_KEY"),
        private_key=required(environment, "MONGODB_ATLAS_PRIVATE_API_KEY", "MONGODB_ATLAS_PRIVATE_KEY"),
    )
