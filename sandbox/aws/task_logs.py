"""Writes a task's output to CloudWatch Logs as the awslogs driver does: one unchanged event per line.

Stream names: ECS developer guide, "Send Amazon ECS logs to CloudWatch".
"""

import threading
import time
from collections.abc import Mapping
from typing import Any, Self

from moto.logs.models import logs_backends

_LINE = 65536
# moto's log streams are not made for several writers.
_WRITING = threading.Lock()


class LogGroupMissing(Exception):
    """A task cannot start since its log group is not there; the message is ECS's stop reason."""


class TaskLog:
    """One container's log stream; without a log driver its lines are dropped."""

    def __init__(self, backend: Any, group: str, stream: str) -> None:
        self._backend = backend
        self._group = group
        self._stream = stream

    @classmethod
    def of(cls, container: Mapping[str, Any], account: str, task_id: str) -> Self:
        """Open the stream of a container of a task. Raises `LogGroupMissing`."""
        options = (container.get("logConfiguration") or {}).get("options") or {}
        group = options.get("awslogs-group", "")
        if not group:
            return cls(None, "", "")
        backend = logs_backends[account][options.get("awslogs-region", "us-east-1")]
        stream = f"{options.get('awslogs-stream-prefix', 'ecs')}/{container['name']}/{task_id}"
        with _WRITING:
            if options.get("awslogs-create-group") == "true":
                backend.ensure_log_group(group)
            if group not in backend.groups:
                raise LogGroupMissing(
                    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
                    "times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log "
                    "group does not exist."
                )
            backend.ensure_log_stream(group, stream)
        return cls(backend, group, stream)

    def write(self, line: str) -> None:
        """Add a line."""
        if self._backend is None or not line:
            return
        event = {"timestamp": int(time.time() * 1000), "message": line[:_LINE]}
        with _WRITING:
            group = self._backend.groups.get(self._group)
            if group is not None and self._stream in group.streams:
                group.put_log_events(self._stream, [event])
