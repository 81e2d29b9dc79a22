"""Pulumi's ResourceProvider protocol for any provider that a table describes. Other methods answer UNIMPLEMENTED."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Generic

from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from sandbox.providers import planning
from sandbox.providers.diffing import Change, changes
from sandbox.providers.errors import PartlyCreated, ProviderError, doing
from sandbox.providers.protocol import annotate, from_struct, to_struct
from sandbox.providers.resource import Failure, Found, ProviderDefinition, ResourceType, S
from sandbox.values import Properties, Secret, Value, bare, is_known

_MARK = Secret("")
_REMEMBERED = 128  # connections kept; an engine opens a handful per run
_INTERNAL_SETTINGS = frozenset(
    {"version", "pluginDownloadURL", "pluginChecksums", "__internal", "__defaults"}
)
"""What engines add to a provider's settings by themselves."""


class Servicer(Generic[S]):
    """Answers one provider's calls. Each method takes a protocol request and the peer's address."""

    def __init__(self, definition: ProviderDefinition[S]) -> None:
        self._definition = definition
        self._sessions: dict[
            str, S
        ] = {}  # by connection, the latest last: an engine opens one per explicit provider
        self._lock = Lock()

    def handshake(self, _request: Any, _peer: str) -> Any:
        """Agree on the features: secrets and unknowns are understood, resources arrive as their ids."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False)

    def attach(self, _request: Any, _peer: str) -> Any:
        """Take note of an engine; nothing is kept of it."""
        return empty_pb2.Empty()

    def get_plugin_info(self, _request: Any, _peer: str) -> Any:
        """Name the version whose properties are served."""
        return plugin_pb2.PluginInfo(version=self._definition.version)

    def cancel(self, _request: Any, _peer: str) -> Any:
        """Let running calls end by themselves: all are short."""
        return empty_pb2.Empty()

    def check_config(self, request: Any, _peer: str) -> Any:
        """Refuse settings that the provider does not understand."""
        news = from_struct(request.news)
        wrong = [
            Failure(
                name, f"provider setting {name!r} is not supported by the sandbox's {self._definition.name}"
            )
            for name in news
            if name not in self._definition.settings | _INTERNAL_SETTINGS
        ]
        return provider_pb2.CheckResponse(inputs=to_struct(news), failures=_failures(wrong))

    def diff_config(self, request: Any, _peer: str) -> Any:
        """Say whether settings differ; none of them replaces the provider."""
        old, new = bare(from_struct(request.old_inputs)), bare(from_struct(request.news))
        differing = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        return provider_pb2.DiffResponse(changes=_changes(differing), diffs=differing)

    def configure(self, request: Any, peer: str) -> Any:
        """Configure the provider for this connection."""
        settings = bare(from_struct(request.args))
        session = self._definition.configure(settings)
        with self._lock:
            self._sessions.pop(peer, None)
            self._sessions[peer] = session
            while len(self._sessions) > _REMEMBERED:
                del self._sessions[next(iter(self._sessions))]
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=False)

    def check(self, request: Any, peer: str) -> Any:
        """Check and complete a program's inputs."""
        resource = self._resource(request.urn)
        session = self._session(peer)
        news = from_struct(request.news)
        given, old = bare(news), bare(from_struct(request.olds))
        wrong = planning.failures(resource, given)
        if wrong:
            return provider_pb2.CheckResponse(inputs=to_struct(news), failures=_failures(wrong))
        name = request.urn.rsplit("::", 1)[-1]
        inputs = planning.with_defaults(
            resource, resource.prepare(session, given), old, name, request.randomSeed
        )
        return provider_pb2.CheckResponse(inputs=to_struct(annotate(inputs, news)))

    def diff(self, request: Any, _peer: str) -> Any:
        """Compare the state with new inputs."""
        resource = self._resource(request.urn)
        old, new = (
            bare(from_struct(request.olds)),
            planning.without_defaults(bare(from_struct(request.news))),
        )
        found = changes(resource, old, new, list(request.ignoreChanges))
        replaces = sorted({change.property for change in found if change.replaces})
        kept_name = _kept_name(resource, bare(from_struct(request.news)), old)
        return provider_pb2.DiffResponse(
            changes=_changes(found),
            diffs=sorted({change.property for change in found}),
            replaces=replaces,
            stables=[] if replaces else [prop.name for prop in resource.properties if prop.replaces],
            deleteBeforeReplace=bool(replaces) and kept_name,
            detailedDiff={change.path: _property_diff(change) for change in found},
            hasDetailedDiff=True,
        )

    def create(self, request: Any, peer: str) -> Any:
        """Create a resource, or plan one."""
        resource = self._resource(request.urn)
        session, given = self._session(peer), from_struct(request.properties)
        inputs = planning.without_defaults(bare(given))
        if request.preview:
            planned = resource.plan(session, planning.planned_create(resource, inputs))
            return provider_pb2.CreateResponse(properties=_outputs(resource, planned, given))
        with _naming_partial_failure(resource, given):
            found = resource.create(session, inputs)
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
        resource = self._resource(request.urn)
        session, given = self._session(peer), from_struct(request.news)
        old, inputs = bare(from_struct(request.olds)), planning.without_defaults(bare(given))
        for path in request.ignoreChanges:
            if path in old:
                inputs[path] = old[path]
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
        if wrong:
            return provider_pb2.InvokeResponse(failures=_failures(wrong))
        if not is_known(arguments):
            return provider_pb2.InvokeResponse()
        with doing(f"invoking {request.tok}"):
            result = function.call(self._session(peer), arguments)
        return provider_pb2.InvokeResponse(**{"return": to_struct(result)})

    def _session(self, peer: str) -> S:
        """The configured provider of a connection; the latest one for connections that never configured any."""
        with self._lock:
            if not self._sessions:
                raise ProviderError(
                    f"provider {self._definition.name} has not been configured: Configure comes first"
                )
            return self._sessions.get(peer) or next(reversed(self._sessions.values()))

    def _resource(self, urn: str) -> ResourceType[S]:
        token = urn.split("::")[2].rsplit("$", 1)[-1]
        for each in self._definition.resources:
            if each.token == token:
                return each
        raise ProviderError(f"resource type {token} is not served by the sandbox's {self._definition.name}")


def _kept_name(resource: ResourceType[Any], news: Properties, old: Properties) -> bool:
    """Whether old and new resource would carry one name that the program chose: they cannot exist together."""
    if not resource.autoname or resource.autoname in news.get(planning.DEFAULTS, []):
        return False
    return bool(news.get(resource.autoname) == old.get(resource.autoname))


def _secrets(resource: ResourceType[Any], properties: Properties) -> Properties:
    marks = {prop.name: _MARK for prop in resource.properties if prop.secret}
    return annotate(properties, marks)


def _outputs(resource: ResourceType[Any], state: Properties, like: Properties) -> Any:
    return to_struct(annotate(_secrets(resource, state), like))


def _found(resource: ResourceType[Any], found: Found, like: Properties) -> Any:
    return _outputs(resource, {**found.state, "id": found.id}, like)


@contextmanager
def _naming_partial_failure(resource: ResourceType[Any], given: Properties) -> Iterator[None]:
    try:
        yield
    except PartlyCreated as error:
        error.state = annotate(_secrets(resource, {**error.state, "id": error.id}), given)
        raise


def _property_diff(change: Change) -> Any:
    kind = f"{change.kind}_REPLACE" if change.replaces else change.kind
    return provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.Kind.Value(kind))


def _changes(found: Sequence[Value]) -> Any:
    response = provider_pb2.DiffResponse
    return response.DIFF_SOME if found else response.DIFF_NONE


def _failures(wrong: Sequence[Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=one.property, reason=one.reason) for one in wrong]
