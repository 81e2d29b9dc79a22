"""Loopback ports for the sandbox's servers."""

import socket

HOST = "127.0.0.1"
_TROUBLING_DIGITS = ("404", "500")


def free_port() -> int:
    """Return a free loopback port without 404 or 500 in it: the real Atlas provider retries on those digits."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if not any(digits in str(port) for digits in _TROUBLING_DIGITS):
            return port


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def port_answers(port: int) -> bool:
    """Whether something listens on this loopback port now."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
