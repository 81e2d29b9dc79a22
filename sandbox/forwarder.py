"""A TCP forwarder that serves as staging's private endpoint and can be cut and restored."""

import socket
import threading
from contextlib import suppress

PRIVATE_HOST = "127.0.0.2"
_CHUNK = 65536


class Forwarder:
    """Carries connections from a loopback address to another; `cut` refuses new ones and drops those open."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.host = PRIVATE_HOST
        self.port = 0

    @property
    def address(self) -> str:
        """Host and port, as a driver is given them."""
        return f"{self.host}:{self.port}"

    def start(self, port: int = 0) -> str:
        """Listen and return the address. Where a system has no 127.0.0.2, another port of 127.0.0.1 serves."""
        try:
            listener = _listen(PRIVATE_HOST, port)
        except OSError as error:
            if port:
                raise OSError(f"port {port} on {PRIVATE_HOST} is in use") from error
            self.host = "127.0.0.1"
            listener = _listen(self.host, 0)
        self.port = int(listener.getsockname()[1])
        self._serve(listener)
        return self.address

    def cut(self) -> None:
        """Refuse connections and drop those that are open. Cutting twice changes nothing."""
        with self._lock:
            listener, self._listener = self._listener, None
            dropped, self._open = self._open, set()
        for connection in ([listener] if listener else []) + list(dropped):
            _end(connection)

    def restore(self) -> None:
        """Listen again at the same address."""
        with self._lock:
            if self._listener is not None:
                return
        self._serve(_listen(self.host, self.port))

    def _serve(self, listener: socket.socket) -> None:
        with self._lock:
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="private-endpoint", daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                incoming, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(listener, incoming), daemon=True).start()

    def _join(self, listener: socket.socket, incoming: socket.socket) -> None:
        """Connect onward and carry both ways, unless the endpoint was cut in between."""
        try:
            outgoing = socket.create_connection(self._target, timeout=5)
        except OSError:
            _end(incoming)
            return
        outgoing.settimeout(None)
        for connection in (incoming, outgoing):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            current = self._listener is listener
            if current:
                self._open |= {incoming, outgoing}
        if not current:
            _end(incoming)
            _end(outgoing)
            return
        threading.Thread(target=self._carry, args=(outgoing, incoming), daemon=True).start()
        self._carry(incoming, outgoing)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                sink.sendall(data)
        _end(source)
        _end(sink)
        with self._lock:
            self._open -= {source, sink}


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
