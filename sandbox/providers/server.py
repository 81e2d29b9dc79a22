"""Serves any provider that a table describes over Pulumi's ResourceProvider protocol, on loopback.

Failures become one-line statuses without secret values. Methods that are not here answer UNIMPLEMENTED.
"""

import logging
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2, status_pb2

from atlas_access.base import redact
from sandbox.engine import wire
from sandbox.engine.values import (
    Properties,
    Secret,
    UnsupportedValue,
    bare,
    from_struct,
    is_known,
    secret_texts,
)
from sandbox.providers import planning
from sandbox.providers.errors import PartlyCreated, ProviderError, doing
from sandbox.providers.protocol import annotate, to_struct
from sandbox.providers.resource import Failure, Found, ProviderDefinition, ResourceType

_LOG = logging.getLogger(__name__)

_METHODS: Final = (
    *("Attach", "Cancel", "GetPluginInfo", "CheckConfig", "Configure"),
    *("Check", "Diff", "Create", "Read", "Update", "Delete", "Invoke"),
)
_WORKERS: Final = 8
_SHORTEST_HIDDEN: Final = 4
"""Shorter secret texts are not looked for: masking them would garble the message and hide nothing."""

_MARK: Final = Secret("")
_INTERNAL_SETTINGS: Final = frozenset(
    {"version", "pluginDownloadURL", "pluginChecksums", "__internal", "__defaults"}
)
"""What engines add to a provider's settings by themselves."""


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


class Servicer:
    """Answers one provider's calls. Each method takes a protocol request and the peer's address."""

    def __init__(self, definition: ProviderDefinition[Any]) -> None:
        self._definition = definition
        # By connection, the latest last: an engine opens one per explicit provider.
        self._sessions: dict[str, Any] = {}
        self._lock = Lock()

    def attach(self, _request: Any, _peer: str) -> Any:
        """Take note of an engine; nothing is kept of it."""
        return empty_pb2.Empty()

    def cancel(self, _request: Any, _peer: str) -> Any:
        """Let running calls end by themselves: all are short."""
        return empty_pb2.Empty()

    def get_plugin_info(self, _request: Any, _peer: str) -> Any:
        """Name the version whose properties are served."""
        return plugin_pb2.PluginInfo(version=self._definition.version)

    def check_config(self, request: Any, _peer: str) -> Any:
        """Refuse settings that the provider does not understand."""
        name, known = self._definition.name, self._definition.settings | _INTERNAL_SETTINGS
        wrong = [
            Failure(each, f"provider setting {each!r} is not supported by the sandbox's {name}")
            for each in from_struct(request.news)
            if each not in known
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(wrong))

    def configure(self, request: Any, peer: str) -> Any:
        """Configure the provider for this connection."""
        session = self._definition.configure(bare(from_struct(request.args)))
        with self._lock:
            self._sessions.pop(peer, None)
            self._sessions[peer] = session
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=False)

    def check(self, request: Any, peer: str) -> Any:
        """Check and complete a program's inputs."""
        resource, news = self._resource(request.urn), from_struct(request.news)
        session, given = self._session(peer), bare(news)
        wrong = planning.failures(resource, given)
        inputs = news if wrong else planning.with_defaults(resource, resource.prepare(session, given))
        return provider_pb2.CheckResponse(inputs=to_struct(annotate(inputs, news)), failures=_failures(wrong))

    def diff(self, request: Any, _peer: str) -> Any:
        """Compare the state with new inputs."""
        resource, old = self._resource(request.urn), bare(from_struct(request.olds))
        new = planning.without_defaults(bare(from_struct(request.news)))
        found = planning.changes(resource, old, new, request.ignoreChanges)
        replaces = [prop.name for prop in found if prop.replaces]
        same_name = bool(resource.unique) and new.get(resource.unique) == old.get(resource.unique)
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if found else response.DIFF_NONE,
            diffs=[prop.name for prop in found],
            replaces=replaces,
            stables=[] if replaces else [prop.name for prop in resource.properties if prop.replaces],
            deleteBeforeReplace=bool(replaces) and same_name,
        )

    def create(self, request: Any, peer: str) -> Any:
        """Create a resource, or plan one."""
        resource, session = self._resource(request.urn), self._session(peer)
        given = from_struct(request.properties)
        inputs = planning.without_defaults(bare(given))
        if request.preview:
            planned = resource.plan(session, planning.planned_create(resource, inputs))
            return provider_pb2.CreateResponse(properties=_outputs(resource, planned, given))
        try:
            found = resource.create(session, inputs)
        except PartlyCreated as error:
            error.state = annotate(_secrets(resource, {**error.state, "id": error.id}), given)
            raise
        return provider_pb2.CreateResponse(id=found.id, properties=_found(resource, found, given))

    def read(self, request: Any, peer: str) -> Any:
        """Read a resource back, from its id and state or, to import it, from its id alone."""
        resource = self._resource(request.urn)
        known, given = from_struct(request.properties), from_struct(request.inputs)
        found = resource.read(self._session(peer), request.id, bare(known))
        if found is None:
            return provider_pb2.ReadResponse()
        inputs = planning.inputs_after_read(resource, bare(given), found.state)
        marked = annotate(_secrets(resource, inputs), given)
        return provider_pb2.ReadResponse(
            id=found.id, properties=_found(resource, found, {**given, **known}), inputs=to_struct(marked)
        )

    def update(self, request: Any, peer: str) -> Any:
        """Update a resource, or plan it."""
        resource, session = self._resource(request.urn), self._session(peer)
        given, old = from_struct(request.news), bare(from_struct(request.olds))
        inputs = planning.without_defaults(bare(given))
        inputs |= {name: old[name] for name in request.ignoreChanges if name in old}
        if request.preview:
            planned = resource.plan(session, planning.planned_update(resource, old, inputs))
            return provider_pb2.UpdateResponse(properties=_outputs(resource, planned, given))
        if resource.update is None:
            raise ProviderError(f"{resource.token} cannot be updated in place: every change replaces it")
        state = resource.update(session, request.id, old, inputs)
        return provider_pb2.UpdateResponse(properties=_found(resource, Found(request.id, state), given))

    def delete(self, request: Any, peer: str) -> Any:
        """Delete a resource."""
        resource = self._resource(request.urn)
        resource.delete(self._session(peer), request.id, bare(from_struct(request.properties)))
        return empty_pb2.Empty()

    def invoke(self, request: Any, peer: str) -> Any:
        """Call a function."""
        function = next((each for each in self._definition.invokes if each.token == request.tok), None)
        if function is None:
            raise ProviderError(
                f"function {request.tok} is not served by the sandbox's {self._definition.name}"
            )
        arguments = {
            name: value for name, value in bare(from_struct(request.args)).items() if value is not None
        }
        wrong = [
            Failure(name, f"{name!r} of {request.tok} is not served by the sandbox's provider; leave it out")
            for name in arguments
            if name not in function.arguments
        ]
        if wrong or not is_known(arguments):
            return provider_pb2.InvokeResponse(failures=_failures(wrong))
        with doing(f"invoking {request.tok}"):
            result = function.call(self._session(peer), arguments)
        return provider_pb2.InvokeResponse(**{"return": to_struct(result)})

    def _session(self, peer: str) -> Any:
        """The configured provider of a connection; the latest one for connections that never configured any."""
        with self._lock:
            if not self._sessions:
                raise ProviderError(
                    f"provider {self._definition.name} has not been configured: Configure comes first"
                )
            return self._sessions.get(peer) or next(reversed(self._sessions.values()))

    def _resource(self, urn: str) -> ResourceType[Any]:
        token = urn.split("::")[2].rsplit("$", 1)[-1]
        for each in self._definition.resources:
            if each.token == token:
                return each
        raise ProviderError(f"resource type {token} is not served by the sandbox's {self._definition.name}")


def _secrets(resource: ResourceType[Any], properties: Properties) -> Properties:
    return annotate(properties, {prop.name: _MARK for prop in resource.properties if prop.secret})


def _outputs(resource: ResourceType[Any], state: Properties, like: Properties) -> Any:
    return to_struct(annotate(_secrets(resource, state), like))


def _found(resource: ResourceType[Any], found: Found, like: Properties) -> Any:
    return _outputs(resource, {**found.state, "id": found.id}, like)


def _failures(wrong: Iterable[Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=one.property, reason=one.reason) for one in wrong]


def _answer(name: str, call: Callable[[Any, str], Any]) -> Callable[[Any, grpc.ServicerContext], Any]:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return call(request, context.peer())
        except PartlyCreated as error:
            message = _safe(error.reason, request)
            context.set_trailing_metadata((("grpc-status-details-bin", _details(error, message)),))
        except (ProviderError, UnsupportedValue) as error:
            message = _safe(str(error), request)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever went wrong, the engine gets one line
            message = (
                f"the sandbox's provider failed in {name}: {type(error).__name__} at {_raised_at(error)}"
            )
            _LOG.error("%s", message)
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
    structs = [value for _, value in request.ListFields() if isinstance(value, Struct)]
    texts = {text for struct in structs for text in secret_texts(from_struct(struct))}
    return " ".join(redact(message, {text for text in texts if len(text) >= _SHORTEST_HIDDEN}).split())


def _raised_at(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "unknown"
