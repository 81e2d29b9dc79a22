"""How we sign in to the Atlas Admin API: a programmatic key by HTTP digest, or a service account by a cached token.

No key is part of an error, a log or a repr. Sources: Atlas Admin API (authentication), RFC 7616, RFC 6749.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests
from requests.auth import AuthBase, HTTPDigestAuth

from atlas_access.base import Endpoints
from atlas_access.clients.retry import Retry, Unanswered

READ_ONLY_KEY = ("ATLAS_DRIFT_CHECK_PUBLIC_KEY", "ATLAS_DRIFT_CHECK_PRIVATE_KEY")
READ_ONLY_ACCOUNT = ("ATLAS_DRIFT_CHECK_CLIENT_ID", "ATLAS_DRIFT_CHECK_CLIENT_SECRET")
SOAK_KEY = ("ATLAS_ACCESS_SOAK_ATLAS_PUBLIC_KEY", "ATLAS_ACCESS_SOAK_ATLAS_PRIVATE_KEY")
SOAK_ACCOUNT = ("ATLAS_ACCESS_SOAK_ATLAS_CLIENT_ID", "ATLAS_ACCESS_SOAK_ATLAS_CLIENT_SECRET")
_KEY = ("MONGODB_ATLAS_PUBLIC_API_KEY", "MONGODB_ATLAS_PRIVATE_API_KEY")
_ACCOUNT = ("MONGODB_ATLAS_CLIENT_ID", "MONGODB_ATLAS_CLIENT_SECRET")
DEPLOYER = (_ACCOUNT, _KEY)
"""The variables of the credentials that an update uses."""

_USUAL = ((READ_ONLY_ACCOUNT, READ_ONLY_KEY), DEPLOYER)
_MARGIN_SECONDS = 60.0
_TOKEN_PATH = "api/oauth/token"  # noqa: S105 - an address


class CredentialsMissing(ValueError):
    """No Atlas credentials are in the environment; the message names the variables."""


@dataclass(frozen=True)
class SignIn:
    """A name and a secret; `service_account` says which of both ways they are for."""

    name: str
    secret: str = field(repr=False)
    service_account: bool = False

    def auth(self, session: requests.Session, endpoints: Endpoints, retry: Retry) -> AuthBase:
        """Return what signs each request of a session."""
        if self.service_account:
            return ServiceAccount(self, session, endpoints, retry)
        return HTTPDigestAuth(self.name, self.secret)


def sign_in_from(environment: Mapping[str, str], *places: tuple[tuple[str, str], tuple[str, str]]) -> SignIn:
    """Choose the credentials: the read-only ones of the drift check first, a service account before a key.

    `places` are other pairs of variables to look in, a service account's and a key's. Raises `CredentialsMissing`,
    also when only half of a pair is set.
    """
    for account, key in places or _USUAL:
        for name, secret in (account, key):
            given = environment.get(name, "").strip(), environment.get(secret, "").strip()
            if all(given):
                return SignIn(*given, service_account=(name, secret) == account)
            if any(given):
                missing = secret if given[0] else name
                raise CredentialsMissing(f"{missing} is not set, but its other half is. Set both or neither.")
    account, key = (places or _USUAL)[0]
    raise CredentialsMissing(
        f"no Atlas credentials: set {' and '.join(key)} (Project Read Only), or {' and '.join(account)}."
    )


class ServiceAccount(AuthBase):
    """Signs with a token that is asked for once and kept until shortly before it ends (Atlas: 1 h, 10 a minute)."""

    def __init__(
        self,
        sign_in: SignIn,
        session: requests.Session,
        endpoints: Endpoints,
        retry: Retry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sign_in, self._session, self._endpoints = sign_in, session, endpoints
        self._retry, self._clock = retry, clock
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request. Raises `Unanswered` when no token could be had."""
        with self._lock:
            if self._clock() >= self._until:
                self._renew()
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def forget(self) -> None:
        """Drop the token: Atlas did not take it."""
        with self._lock:
            self._until = 0.0

    def _renew(self) -> None:
        reply = self._retry.ask(
            self._session,
            "POST",
            self._endpoints.atlas.rstrip("/") + "/" + _TOKEN_PATH,
            repeat=True,
            data={"grant_type": "client_credentials"},
            headers={"Accept": "application/json"},
            auth=(self._sign_in.name, self._sign_in.secret),
        )
        if reply.status in (400, 401, 403):
            raise Unanswered("Atlas refused the service account; check its client id and secret")
        try:
            answer = json.loads(reply.text)
            token, seconds = str(answer["access_token"]), float(answer["expires_in"])
        except (ValueError, KeyError, TypeError):
            raise Unanswered("the answer to the request for a token is not one") from None
        self._token, self._until = token, self._clock() + max(0.0, seconds - _MARGIN_SECONDS)
