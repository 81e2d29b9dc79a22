"""A TCP forwarder that serves as staging's private endpoint and can be cut and restored."""

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

from sandbox.kept_alive import KeptAliveServer
from sandbox.ports import HOST

PRIVATE_HOST = "127.0.0.2"
_CHUNK = 65536


class Forwarder:
    """Carries connections from a loopback address to another; `cut` refuses new ones and drops those open."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._server: _Server | None = None
        self.host = PRIVATE_HOST
        self.port = 0

    @property
    def address(self) -> str:
        """Host and port, as a driver is given them."""
        return f"{self.host}:{self.port}"

    def start(self, port: int = 0) -> str:
        """Listen and return the address. Where a system has no 127.0.0.2, another port of 127.0.0.1 serves."""
        self.port = port
        try:
            self.restore()
        except OSError as error:
            if port:
                raise OSError(f"port {port} on {PRIVATE_HOST} is in use") from error
            self.host = HOST
            self.restore()
        return self.address

    def cut(self) -> None:
        """Refuse connections and drop those that are open. Cutting twice changes nothing."""
        if self._server is not None:
            self._server.end()
            self._server = None

    def restore(self) -> None:
        """Listen at the address, unless this is so."""
        if self._server is None:
            self._server = _Server((self.host, self.port), self._target)
            self.port = self._server.server_port
            self._server.serve("private-endpoint")


class _Server(KeptAliveServer):
    def __init__(self, address: tuple[str, int], target: tuple[str, int]) -> None:
        self._target = target
        super().__init__(address, BaseHTTPRequestHandler)

    def finish_request(self, incoming: socket.socket, _address: object) -> None:  # type: ignore[override]
        """Connect onward and carry both ways, unless the endpoint was cut in between."""
        with socket.create_connection(self._target, timeout=5) as outgoing:
            outgoing.settimeout(None)
            both = {incoming, outgoing}
            self.connections |= both
            for connection in both:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self.ended:
                back = threading.Thread(target=_carry, args=(outgoing, incoming), daemon=True)
                back.start()
                _carry(incoming, outgoing)
                back.join()
            self.connections -= both


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    for connection in (source, sink):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
