"""Authentication: HTTP digest with an API key, or a service account's bearer token.

Sources: RFC 7616 (digest, MD5, qop=auth), RFC 6749 section 4.4 (client credentials), and Atlas's limits
(tokens valid 1 h, 10 a minute).
"""

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote_plus
from urllib.request import parse_http_list, parse_keqv_list

from sandbox.atlas.errors import AtlasError

REALM = "MMS Public API"
TOKEN_SECONDS = 3600
TOKENS_A_MINUTE = 10
_NONCE_SECONDS = 300


@dataclass(frozen=True)
class Credential:
    """A programmatic key (public, private) or a service account (client id, client secret) of one project."""

    name: str
    secret: str = field(repr=False)
    project_id: str
    kind: Literal["key", "service account"] = "key"
    read_only: bool = False

    @property
    def id(self) -> str:
        """The id that events give for the key: 24 hexadecimal digits, the same at every start."""
        return hashlib.sha256(f"credential {self.name}".encode()).hexdigest()[:24]


class Keyring:
    """All credentials, the challenges handed out and the tokens in force."""

    def __init__(self, credentials: Iterable[Credential]) -> None:
        known = list(credentials)
        self._keys = {c.name: c for c in known if c.kind == "key"}
        self._accounts = {c.name: c for c in known if c.kind == "service account"}
        self._stamp_key = secrets.token_bytes(16)
        self._tokens: dict[str, tuple[Credential, float]] = {}
        self._issued: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def identify(self, method: str, target: str, authorization: str) -> Credential:
        """Return the credential that signed this request; raises `AtlasError` 401 with a challenge."""
        scheme, _, rest = authorization.partition(" ")
        stale = False
        if scheme.lower() == "bearer":
            credential, until = self._tokens.get(rest.strip(), (None, 0.0))
            if credential is not None and until > time.monotonic():
                return credential
        elif scheme.lower() == "digest":
            found = self._digest(method, target, rest)
            if isinstance(found, Credential):
                return found
            stale = found
        raise AtlasError("NO_CURRENT_USER", headers={"WWW-Authenticate": self._challenge(stale=stale)})

    def token(self, authorization: str, grant_type: str) -> tuple[int, dict[str, str | int], dict[str, str]]:
        """Answer a request for a token: status, body and headers as in RFC 6749."""
        account = self._account(authorization)
        if account is None:
            return 401, {"error": "invalid_client"}, {"WWW-Authenticate": f'Basic realm="{REALM}"'}
        if grant_type != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}, {}
        with self._lock:
            now = time.monotonic()
            recent = [moment for moment in self._issued.get(account.name, []) if moment > now - 60]
            if len(recent) >= TOKENS_A_MINUTE:
                wait = str(max(1, round(recent[0] + 60 - now)))
                refusal = AtlasError("RATE_LIMITED", "The token endpoint", str(TOKENS_A_MINUTE))
                return 429, refusal.body(), {"Retry-After": wait}
            token = secrets.token_urlsafe(32)
            self._issued[account.name] = [*recent, now]
            self._tokens = {t: entry for t, entry in self._tokens.items() if entry[1] > now}
            self._tokens[token] = (account, now + TOKEN_SECONDS)
        return 200, {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}, {}

    def _account(self, authorization: str) -> Credential | None:
        scheme, _, encoded = authorization.partition(" ")
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        account = self._accounts.get(unquote_plus(name))
        matches = account is not None and any(
            hmac.compare_digest(account.secret.encode(), form.encode())
            for form in (secret, unquote_plus(secret))
        )
        return account if matches and scheme.lower() == "basic" else None

    def _challenge(self, *, stale: bool) -> str:
        """Write the challenge; the provider splits it on comma and blank, so no value may hold those."""
        moment = str(int(time.time()))
        return (
            f'Digest realm="{REALM}", domain="", nonce="{moment}{self._stamp(moment)}", '
            f'algorithm=MD5, qop="auth", stale={str(stale).lower()}'
        )

    def _stamp(self, moment: str) -> str:
        return hmac.new(self._stamp_key, moment.encode(), "sha256").hexdigest()[:32]

    def _digest(self, method: str, target: str, text: str) -> Credential | bool:
        """Return the key whose digest this is, or whether only the nonce is too old."""
        try:
            said = parse_keqv_list(parse_http_list(text))
        except (ValueError, IndexError):
            return False
        key = self._keys.get(said.get("username", ""))
        nonce = said.get("nonce", "")
        moment, stamp = nonce[:-32], nonce[-32:]
        if key is None or said.get("algorithm", "MD5").upper() != "MD5":
            return False
        if said.get("qop") != "auth" or said.get("uri") != target:
            return False

        def digest(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

        expected = digest(
            digest(key.name, REALM, key.secret),
            *(nonce, said.get("nc", ""), said.get("cnonce", ""), "auth"),
            digest(method, target),
        )
        if not hmac.compare_digest(expected.encode(), said.get("response", "").encode()):
            return False
        if not hmac.compare_digest(stamp.encode(), self._stamp(moment).encode()) or not moment.isdigit():
            return True
        return key if int(moment) > time.time() - _NONCE_SECONDS else True
