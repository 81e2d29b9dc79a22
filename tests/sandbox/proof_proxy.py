"""A TCP proxy before a server: passes bytes on, answers nothing, garbles or rewrites answers, or cuts a connection."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import bson

OP_MSG = 2013
Document = dict[str, Any]
Change = Callable[[Document, Document], Document | bytes]


class Proxy:
    """Forwards loopback connections; `mode` is "pass", "mute" or "garble", after `quiet_bytes` of answers."""

    def __init__(self, host: str, port: int, mode: str, quiet_bytes: int = 0) -> None:
        self._upstream = (host, port)
        self._mode, self._quiet = mode, quiet_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._upstream)
                self._sockets += [client, server]
                threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                passed += len(data)
                if answers and passed > self._quiet:
                    if self._mode == "mute":
                        continue
                    if self._mode == "garble":
                        data = data[:16] + bytes(byte ^ 0x5A for byte in data[16:])
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


class Cut(Proxy):
    """Cuts the first connection that was answered with so many bytes; every other one is left alone."""

    def __init__(self, host: str, port: int, quiet_bytes: int) -> None:
        self._cut = False
        super().__init__(host, port, "pass", quiet_bytes)

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                passed += len(data)
                if answers and passed > self._quiet and not self._cut:
                    self._cut = True
                    for each in (source, sink):
                        each.shutdown(socket.SHUT_RDWR)
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


class Rewriting(Proxy):
    """Keeps each command, and answers with what `change(command, answer)` makes of the server's own answer."""

    def __init__(self, host: str, port: int, change: Change) -> None:
        self._change = change
        self._asked: dict[int, Document] = {}
        self.commands: list[Document] = []
        super().__init__(host, port, "pass")

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        stream = source.makefile("rb")
        with contextlib.suppress(OSError):
            while len(header := stream.read(16)) == 16:
                length, number, to, code = struct.unpack("<iiii", header)
                body = stream.read(length - 16)
                if code == OP_MSG:
                    document = bson.decode(body[5:])
                    if answers:
                        changed = self._change(self._asked.pop(to), document)
                        body = body[:5] + (changed if isinstance(changed, bytes) else bson.encode(changed))
                        header = struct.pack("<iiii", 16 + len(body), number, to, code)
                    else:
                        self._asked[number] = document
                        self.commands.append(document)
                sink.sendall(header + body)
            sink.shutdown(socket.SHUT_WR)
