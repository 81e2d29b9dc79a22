"""Loopback ports for the sandbox's servers. It must never bind an address other than 127.0.0.1."""

import socket

HOST = "127.0.0.1"
_TROUBLING_DIGITS = ("404", "500")


def free_port() -> int:
    """Return a loopback port that is free now and holds neither 404 nor 500.

    The real Atlas provider retries when those digits stand anywhere in an error, its URL included.
    """
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
