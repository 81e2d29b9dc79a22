"""Serves providers over gRPC on loopback. Failures become one-line statuses without secret values."""

import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, status_pb2

from atlas_access.base import redact
from sandbox.engine import wire
from sandbox.providers.errors import PartlyCreated, ProviderError
from sandbox.providers.protocol import from_struct, to_struct
from sandbox.providers.resource import ProviderDefinition
from sandbox.providers.servicer import Servicer
from sandbox.values import UnsupportedValue, secret_texts

_LOG = logging.getLogger(__name__)

_METHODS: Final = (
    *("Handshake", "Attach", "GetPluginInfo", "Cancel", "CheckConfig", "DiffConfig", "Configure"),
    *("Check", "Diff", "Create", "Read", "Update", "Delete", "Invoke"),
)
_WORKERS: Final = 8
_SHORTEST_HIDDEN: Final = 4
"""Shorter secret texts are not looked for: masking them would garble the message and hide nothing."""


class ProviderServer:
    """One provider on a port of 127.0.0.1, chosen by the system."""

    def __init__(self, definition: ProviderDefinition[Any]) -> None:
        self._executor = ThreadPoolExecutor(_WORKERS, thread_name_prefix=f"provider-{definition.name}")
        self._server = wire.server(self._executor)
        service, servicer = wire.provider_pb2_grpc.ResourceProviderServicer(), Servicer(definition)
        for name in _METHODS:
            attribute = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
            setattr(service, name, _answer(name, getattr(servicer, attribute)))
        wire.provider_pb2_grpc.add_ResourceProviderServicer_to_server(service, self._server)
        self.port: int = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def stop(self, grace: float = 1.0) -> None:
        """Stop serving; calls that run get `grace` seconds to end."""
        self._server.stop(grace).wait()
        self._executor.shutdown(wait=True)


def _answer(name: str, call: Callable[[Any, str], Any]) -> Callable[[Any, grpc.ServicerContext], Any]:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return call(request, context.peer())
        except PartlyCreated as error:
            partial, message = error, _safe(error.reason, request)
        except (ProviderError, UnsupportedValue) as error:
            partial, message = None, _safe(str(error), request)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever went wrong, the engine gets one line
            at = _raised_at(error)
            _LOG.error("%s failed: %s at %s", name, type(error).__name__, at)
            partial, message = (
                None,
                f"the sandbox's provider failed in {name}: {type(error).__name__} at {at}",
            )
        if partial is not None:
            context.set_trailing_metadata((("grpc-status-details-bin", _details(partial, message)),))
        return context.abort(grpc.StatusCode.UNKNOWN, message)

    return answer


def _details(error: PartlyCreated, message: str) -> bytes:
    """The status detail by which engines learn that a resource exists although its creation failed."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.id, properties=to_struct(error.state), reasons=[message]
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
    status.details.add().Pack(detail)
    return bytes(status.SerializeToString())


def _safe(message: str, request: Any) -> str:
    """The message in one line, without any secret that the request carried."""
    hidden = set()
    for _, value in request.ListFields():
        if isinstance(value, Struct):
            hidden |= set(secret_texts(from_struct(value)))
    texts = {text for text in hidden if len(text) >= _SHORTEST_HIDDEN}
    return " ".join(redact(message, texts).split())


def _raised_at(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "unknown"
