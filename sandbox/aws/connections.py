"""The HTTP server in front of AWS: keep-alive, one thread per connection; werkzeug's closes after each answer."""

from io import BytesIO
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

from sandbox.aws.wire import Signature, malformed
from sandbox.kept_alive import Headers, KeptAliveHandler, KeptAliveServer


class Server(KeptAliveServer):
    """Serves a WSGI application."""

    # What werkzeug's handler asks of its server.
    multithread, multiprocess, ssl_context = True, False, None

    def __init__(self, address: tuple[str, int], application: Any) -> None:
        self.application = application
        super().__init__(address, _Handler)


class _Handler(KeptAliveHandler, MotoRequestHandler):  # type: ignore[misc]
    server: Server
    most_bytes = 16 << 20
    service = "sts"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class's name for it
        """Stay silent."""

    def run_wsgi(self) -> None:
        """Answer one request. One whose body was not all there is refused: without it another thing would be asked."""
        self.environ = environ = self.make_environ()
        body = self.body()
        if body is None:
            signature = Signature.of(environ)
            self.service = signature.service if signature else "sts"
            self.send_error(400)
            return
        environ["wsgi.input"] = BytesIO(body)
        said: list[Any] = []
        answer = self.server.application(environ, lambda *status: said.extend(status))
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        code, _, reason = said[0].partition(" ")
        # The answer to HEAD keeps the length of the body that is not sent.
        headers = [(n, v) for n, v in said[1] if self.command == "HEAD" or n.lower() != "content-length"]
        self.reply(int(code), headers, content, reason)

    def refusal(self, code: int) -> tuple[int, Headers, bytes]:
        """Answer what is no request of HTTP in AWS's form, which is that of the service."""
        answer = malformed(self.service, code)
        return code, (("Content-Type", answer.content_type),), answer.body
