"""The mongodbatlas provider's API client: digest authentication, the provider's error messages and resource ids.

The ids are names and values in base64, sorted by name.
"""

import base64
from collections.abc import Mapping
from threading import Lock
from typing import Any, Final
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPDigestAuth

from sandbox.engine.values import Properties
from sandbox.providers.errors import ProviderError, loopback, required

NOT_FOUND: Final = 404
_API: Final = "/api/atlas/v2"
_TIMEOUT: Final = (5.0, 60.0)  # seconds to connect and to wait for an answer


class AtlasError(ProviderError):
    """An answer of the Admin API that is not a success."""

    def __init__(self, what: str, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        found = {"reason": "", "errorCode": "", "detail": "", "parameters": [], **body}
        super().__init__(
            f"{what}: HTTP {status} {found['reason']} "
            f'(Error code: "{found["errorCode"]}") '
            f"Detail: {found['detail']} Reason: {found['reason']}. Params: {found['parameters']}"
        )


class AtlasClient:
    """What the mongodbatlas tables work with. Thread-safe; connections are kept."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._base = loopback(environment, "MONGODB_ATLAS_BASE_URL")
        self._keys = (
            required(environment, "MONGODB_ATLAS_PUBLIC_API_KEY", "MONGODB_ATLAS_PUBLIC_KEY"),
            required(environment, "MONGODB_ATLAS_PRIVATE_API_KEY", "MONGODB_ATLAS_PRIVATE_KEY"),
        )
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.mount("http://", HTTPAdapter(pool_maxsize=16))
        self._role_locks: dict[str, Lock] = {}

    def role_lock(self, project: str) -> Lock:
        """The lock under which the project's roles are changed: the API bears one change at a time."""
        return self._role_locks.setdefault(project, Lock())

    def call(
        self,
        method: str,
        path: tuple[str, ...],
        doing: str,
        *,
        version: str = "2023-01-01",
        body: Properties | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Properties:
        """Call the API below `groups/` and return the answer's body; raises AtlasError, ProviderError."""
        url = f"{self._base}{_API}/groups/" + "/".join(quote(part, safe="") for part in path)
        media, what = f"application/vnd.atlas.{version}+json", f"{doing}: {url} {method}"
        typed = {} if body is None else {"Content-Type": media}
        try:
            answer = self._http.request(
                method,
                url,
                headers={"Accept": media, "User-Agent": "sandbox-mongodbatlas", **typed, **(headers or {})},
                json=body,
                # A fresh one per request: the provider never signs in ahead of a challenge.
                auth=HTTPDigestAuth(*self._keys),
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise ProviderError(f"{what}: {type(error).__name__}: no answer from Atlas") from error
        try:
            found = answer.json() if answer.content else {}
        except ValueError:
            found = None
        readable: Properties = found if isinstance(found, dict) else {}
        if not 200 <= answer.status_code < 300:
            raise AtlasError(what, answer.status_code, {"reason": answer.reason, **readable})
        if found is None:
            raise ProviderError(f"{what}: HTTP {answer.status_code} with a body that is not JSON")
        return readable

    def find(self, path: tuple[str, ...], doing: str) -> Properties | None:
        """What GET answers; None for 404."""
        try:
            return self.call("GET", path, doing)
        except AtlasError as error:
            if error.status == NOT_FOUND:
                return None
            raise


def encoded(**parts: str) -> str:
    """The id that the state holds."""
    return "-".join(f"{_encode(name)}:{_encode(value)}" for name, value in sorted(parts.items()))


def decoded(identity: str) -> dict[str, str] | None:
    """The parts of an id, or None if it is not one: then it is one to import by."""
    pairs = [pair.split(":", 1) for pair in identity.split("-")]
    try:
        return {_decode(name): _decode(value) for name, value in pairs}
    except ValueError:
        return None


def refused(identity: str, expected: str) -> ProviderError:
    """The error for an id that is of neither form."""
    return ProviderError(f"import format error: {identity!r} should be of the form {expected}")


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()
