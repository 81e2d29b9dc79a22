"""Progress of a dynamic resource on its own row in the engine's display.

The host is started with the engine's address as its first argument. Nobody has to listen: a closed pipe, another host
or a missing address only means that nothing is shown.
"""

import sys
import time

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

_EVERY_SECONDS = 0.2
_LIMIT_SECONDS = 1.0


class Row:
    """Sends ephemeral lines to one resource's row; calls closer together than 0.2 s are dropped."""

    def __init__(self, urn: str, address: str | None = None) -> None:
        """Connect lazily to the engine at `address`, by default the host's own first argument."""
        where = address if address is not None else (sys.argv[1] if len(sys.argv) > 1 else "")
        self._urn = urn
        self._last = 0.0
        self._channel = grpc.insecure_channel(where) if urn and _is_address(where) else None

    def __call__(self, line: str) -> None:
        """Show a line; harmless when nobody listens."""
        now = time.monotonic()
        if self._channel is None or now - self._last < _EVERY_SECONDS:
            return
        self._last = now
        request = engine_pb2.LogRequest(
            severity=engine_pb2.INFO, message=line, urn=self._urn, streamId=0, ephemeral=True
        )
        try:
            engine_pb2_grpc.EngineStub(self._channel).Log(request, timeout=_LIMIT_SECONDS)
        except grpc.RpcError:
            self.close()

    def close(self) -> None:
        """Stop showing lines."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None


def _is_address(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    return bool(host and colon and port.isdigit())
