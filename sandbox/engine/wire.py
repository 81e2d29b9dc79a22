"""Pulumi's protocol stubs and gRPC, imported in one place because neither ships types."""

from typing import Any

import grpc as _grpc
from google.protobuf import empty_pb2 as _empty
from pulumi.runtime.proto import (
    analyzer_pb2 as analyzer_pb2,
    analyzer_pb2_grpc as analyzer_pb2_grpc,
    engine_pb2 as engine_pb2,
    engine_pb2_grpc as engine_pb2_grpc,
    plugin_pb2 as plugin_pb2,
    provider_pb2 as provider_pb2,
    provider_pb2_grpc as provider_pb2_grpc,
    resource_pb2 as resource_pb2,
    resource_pb2_grpc as resource_pb2_grpc,
    status_pb2,
)

Status: Any = status_pb2.Status
EMPTY: Any = _empty.Empty()
RpcError: Any = _grpc.RpcError
StatusCode: Any = _grpc.StatusCode

_LIMIT = 400 * 1024 * 1024  # what Pulumi's own hosts allow for one message
_OPTIONS = [
    ("grpc.max_receive_message_length", _LIMIT),
    ("grpc.max_send_message_length", _LIMIT),
    ("grpc.enable_http_proxy", 0),
    ("grpc.so_reuseport", 0),
]


def channel(address: str) -> Any:
    """An insecure channel to a server on this machine; `address` is host:port."""
    return _grpc.insecure_channel(address, options=_OPTIONS)


def server(pool: Any) -> Any:
    """A server that answers on the given thread pool."""
    return _grpc.server(pool, options=_OPTIONS)
