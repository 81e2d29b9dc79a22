"""The HTTP server in front of AWS: keep-alive, one thread per connection; werkzeug's closes after each answer."""

from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

from sandbox.aws.wire import malformed, take_body, unreadable
from sandbox.kept_alive import KeptAliveHandler, KeptAliveServer


class Server(KeptAliveServer):
    """Serves a WSGI application."""

    # What werkzeug's handler asks of its server.
    multithread, multiprocess, ssl_context = True, False, None

    def __init__(self, address: tuple[str, int], application: Any) -> None:
        self.application = application
        super().__init__(address, _Handler)


class _Handler(KeptAliveHandler, MotoRequestHandler):  # type: ignore[misc]
    server: Server

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class's name for it
        """Stay silent."""

    def run_wsgi(self) -> None:
        """Answer one request."""
        self.environ = environ = self.make_environ()
        whole = take_body(environ)
        said: list[Any] = []
        application = self.server.application if whole else unreadable
        answer = application(environ, lambda *status: said.extend(status))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        code, _, reason = said[0].partition(" ")
        # The answer to HEAD keeps the length of the body that is not sent.
        headers = [(n, v) for n, v in said[1] if self.command == "HEAD" or n.lower() != "content-length"]
        length = [] if self.command == "HEAD" else [("Content-Length", str(len(body)))]
        self._send(int(code), reason, [*headers, *length], body, last=not whole)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no request of HTTP in AWS's form; that of which service, nobody knows."""
        self.request_version = self.protocol_version
        answer = malformed("sts", code)
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        self._send(code, "Error", headers, answer.body, last=True)

    def _send(
        self, code: int, reason: str, headers: list[tuple[str, str]], body: bytes, *, last: bool
    ) -> None:
        self.send_response(code, reason)
        for name, value in headers:
            self.send_header(name, value)
        if last:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
