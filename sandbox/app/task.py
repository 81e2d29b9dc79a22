"""One task of the demo application: `python -m sandbox.app.task BUILD`.

Serves on the inherited socket `TASK_LISTEN_FD`; exits after its requests on SIGTERM, or when its parent dies.
"""

import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType

_LOG = logging.getLogger("app")


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM; return the exit code."""
    # The driver's libraries for revoked certificates: a quarter of the process's memory and start.
    for name in ("OpenSSL", "cryptography", "service_identity"):
        sys.modules[name] = None  # type: ignore[assignment]
    from atlas_access.base import Endpoints
    from sandbox.app.builds import Build
    from sandbox.app.databases import Databases
    from sandbox.app.lookups import Lookups
    from sandbox.app.outgoing import Outgoing
    from sandbox.app.service import Server, Service
    from sandbox.app.waitlist import Waitlist

    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(message)s")
    build = Build(arguments[0])
    revision = os.environ.get("TASK_REVISION", "unknown")
    if build is Build.CRASHING:
        _LOG.error("cannot start: a module is missing")
        return 1
    endpoints = Endpoints.from_environment(os.environ)
    databases = Databases(build, os.environ, endpoints)
    waitlist = Waitlist(databases, Outgoing(os.environ, endpoints))
    service = Service(Lookups(build, databases), waitlist, revision, os.environ.get("TASK_ID", ""))
    server = Server(socket.socket(fileno=int(os.environ["TASK_LISTEN_FD"])), service)

    def end(_number: int, _frame: FrameType | None) -> None:
        # `shutdown` waits for the loop that this very thread runs.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    threading.Thread(target=_watch_starter, daemon=True).start()
    _LOG.info("serving revision %s, build %s", revision, build.value)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    databases.close()
    _LOG.info("ended")
    return 0


def _watch_starter() -> None:
    """End this process when its standard input does: whoever started it holds the other end."""
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    logging.shutdown()
    # The driver's threads wait for nothing of ours.
    os._exit(code)
