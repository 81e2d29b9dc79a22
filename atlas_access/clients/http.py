"""The HTTP session that everything of ours uses: each request, redirects included, passes the endpoints overlay.

It must never send a byte to a host that the overlay refuses, and never wait without a limit.
"""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from atlas_access.base import Endpoints
from atlas_access.clients.calls import log_call

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0


class PermittedAdapter(HTTPAdapter):
    """An adapter that asks the overlay before each request is sent; requests calls it for every redirect too."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        super().__init__()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the signature is the library's
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002 - the signature is the library's
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request that the overlay permits; raises `EndpointRefused` before a byte is sent otherwise."""
        self._endpoints.permit(request.url or "")
        limits = timeout if timeout is not None else (CONNECT_SECONDS, READ_SECONDS)
        address, started = urlsplit(request.url or ""), time.perf_counter()
        outcome: object = "no answer"
        try:
            response = super().send(request, stream, limits, verify, cert, proxies)
            outcome = response.status_code
        finally:
            log_call("HTTP", f"{request.method} {address.hostname}{address.path}", started, outcome)
        return response


def session(endpoints: Endpoints) -> requests.Session:
    """Open a session whose every request is checked and bounded in time; the caller closes it.

    In the sandbox the environment's proxies are ignored: a proxy would carry the bytes elsewhere.
    """
    opened = requests.Session()
    opened.trust_env = not endpoints.sandbox
    adapter = PermittedAdapter(endpoints)
    opened.mount("https://", adapter)
    opened.mount("http://", adapter)
    return opened
