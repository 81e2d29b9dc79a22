"""Loopback ports for the sandbox's servers."""

import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a free loopback port that does not trouble the real Atlas provider."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if not troubles(port):
            return port


def troubles(port: int) -> bool:
    """Whether the real Atlas provider would take digits of this port for a status to retry on."""
    return "404" in str(port) or "500" in str(port)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
