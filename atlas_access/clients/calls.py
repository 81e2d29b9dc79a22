"""The log of remote calls that `--verbose` shows: service, operation, outcome and milliseconds, redacted."""

from __future__ import annotations

import logging
import re
import sys
import time

from atlas_access.base import Redactor

_LOG = logging.getLogger("atlas_access.calls")
_LOG.propagate = False
_ADDRESS = re.compile(r"[\w.+-]+(?:@|%40)[\w.-]+")


def show_calls() -> None:
    """Log every remote call of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Redactor())
    _LOG.handlers[:] = [handler]
    _LOG.setLevel(logging.INFO)


def logs_calls() -> bool:
    """Whether this process logs its remote calls."""
    return _LOG.isEnabledFor(logging.INFO)


def log_call(service: str, operation: str, started: float, outcome: object) -> None:
    """Log one call; `started` is `time.perf_counter()` when it began."""
    if logs_calls():
        milliseconds = (time.perf_counter() - started) * 1000
        _LOG.info("%s %s: %s, %.0f ms", service, _ADDRESS.sub("***", operation), outcome, milliseconds)
