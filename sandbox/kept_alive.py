"""The HTTP server of the emulators: keep-alive, one thread per connection, and no log, as requests carry secrets."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class KeptAliveServer(ThreadingHTTPServer):
    """A server that can drop its open connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        """Listen at this address. Raises `OSError` when the port is in use."""
        self.connections: set[socket.socket] = set()
        super().__init__(address, handler)

    def serve(self, name: str) -> None:
        """Serve in a thread of this name."""
        threading.Thread(target=self.serve_forever, args=(0.05,), name=name, daemon=True).start()

    def end(self) -> None:
        """Stop listening, and end the connections that clients hold open."""
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
