"""The HTTP servers on loopback: keep-alive, one thread per connection, and no log, as requests carry secrets."""

import re
import socket
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

Headers = Iterable[tuple[str, str]]


class KeptAliveServer(ThreadingHTTPServer):
    """A server that can drop its open connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], **more: bool) -> None:
        """Listen at this address. Raises `OSError` when the port is in use."""
        self.connections: set[socket.socket] = set()
        self.ended = False
        super().__init__(address, handler, **more)

    def server_bind(self) -> None:
        """Bind without asking for the host's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def serve(self, name: str) -> None:
        """Serve in a thread of this name."""
        threading.Thread(target=self.serve_forever, args=(0.05,), name=name, daemon=True).start()

    def end(self) -> None:
        """Stop listening, and end the connections that clients hold open."""
        self.ended = True
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client closed it first

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that clients break."""


class KeptAliveHandler(BaseHTTPRequestHandler):
    """Answers many requests on one connection, which its server knows."""

    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 120
    most_bytes = 1 << 20
    server: KeptAliveServer

    def setup(self) -> None:
        """Register the connection."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name for it
        """Keep no log."""

    def handle_expect_100(self) -> bool:
        """Flush the interim answer: a client that expects it waits for it before it sends its body."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def body(self) -> bytes | None:
        """Read the body; None for one without a sound length, in chunks, past the limit or cut short."""
        length = ", ".join(self.headers.get_all("Content-Length", ["0"])).strip()
        sound = re.fullmatch("[0-9]{1,10}", length) and "Transfer-Encoding" not in self.headers
        if not sound or int(length) > self.most_bytes:
            return None
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else None

    def reply(self, status: int, headers: Headers, body: bytes, reason: str | None = None) -> None:
        """Answer. The headers of an answer to HEAD may give the length of the body that is not sent."""
        given = list(headers)
        self.send_response(status, reason)
        for name, value in given:
            self.send_header(name, value)
        if status not in (204, 304) and "content-length" not in {name.lower() for name, _ in given}:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)
        self.wfile.flush()

    def refusal(self, code: int) -> tuple[int, Headers, bytes]:
        """The answer to what is no request: status, headers and body."""
        return code, (("Content-Type", "text/plain"),), b"The request cannot be read.\n"

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no request, and close the connection."""
        self.close_connection = True
        self.request_version = self.protocol_version
        self.reply(*self.refusal(code))
