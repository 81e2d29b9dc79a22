"""An engine's side of the provider protocol, as small as the tests of the providers need it."""

from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass
from pulumi.runtime.proto import provider_pb2

from sandbox.engine.values import Properties, from_struct
from sandbox.providers.protocol import to_struct

_SERVICE = provider_pb2.DESCRIPTOR.services_by_name["ResourceProvider"]


def urn(token: str, name: str = "it") -> str:
    return f"urn:pulumi:dev::test::{token}::{name}"


class ProviderClient:
    """One connection to one provider, as each provider resource of a program has one."""

    def __init__(self, port: int) -> None:
        # A pool of its own: channels of one process would share a connection, those of an engine do not.
        self._channel = grpc.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
        )

    def close(self) -> None:
        self._channel.close()

    def call(self, method: str, request: Any) -> Any:
        described = _SERVICE.methods_by_name[method]
        return self._channel.unary_unary(
            f"/{_SERVICE.full_name}/{method}",
            request_serializer=GetMessageClass(described.input_type).SerializeToString,
            response_deserializer=GetMessageClass(described.output_type).FromString,
        )(request, timeout=30)

    def configure(self, **settings: Any) -> None:
        args = to_struct(settings)
        self.call("Configure", provider_pb2.ConfigureRequest(args=args, acceptSecrets=True))

    def failures(self, token: str, given: Properties) -> dict[str, str]:
        request = provider_pb2.CheckRequest(urn=urn(token), news=to_struct(given))
        return {one.property: one.reason for one in self.call("Check", request).failures}

    def check(self, token: str, given: Properties, old: Properties | None = None) -> Properties:
        request = provider_pb2.CheckRequest(
            urn=urn(token), news=to_struct(given), olds=to_struct(old or {}), randomSeed=b"seed"
        )
        answer = self.call("Check", request)
        assert not answer.failures, answer.failures
        return from_struct(answer.inputs)

    def create(self, token: str, inputs: Properties, *, preview: bool = False) -> tuple[str, Properties]:
        request = provider_pb2.CreateRequest(urn=urn(token), properties=to_struct(inputs), preview=preview)
        answer = self.call("Create", request)
        return answer.id, from_struct(answer.properties)

    def made(self, token: str, given: Properties) -> tuple[str, Properties, Properties]:
        """Check and create; return id, inputs and outputs."""
        inputs = self.check(token, given)
        identity, state = self.create(token, inputs)
        return identity, inputs, state

    def diff(
        self, token: str, identity: str, state: Properties, inputs: Properties, ignored: tuple[str, ...] = ()
    ) -> Any:
        request = provider_pb2.DiffRequest(
            id=identity, urn=urn(token), olds=to_struct(state), news=to_struct(inputs), ignoreChanges=ignored
        )
        return self.call("Diff", request)

    def changed(self, token: str, identity: str, state: Properties, inputs: Properties) -> list[str]:
        return list(self.diff(token, identity, state, inputs).diffs)

    def replaced(self, token: str, identity: str, state: Properties, inputs: Properties) -> list[str]:
        return list(self.diff(token, identity, state, inputs).replaces)

    def read(
        self, token: str, identity: str, state: Properties | None = None, inputs: Properties | None = None
    ) -> tuple[str, Properties, Properties]:
        request = provider_pb2.ReadRequest(
            id=identity, urn=urn(token), properties=to_struct(state or {}), inputs=to_struct(inputs or {})
        )
        answer = self.call("Read", request)
        return answer.id, from_struct(answer.properties), from_struct(answer.inputs)

    def update(
        self, token: str, identity: str, state: Properties, inputs: Properties, *, preview: bool = False
    ) -> Properties:
        request = provider_pb2.UpdateRequest(
            id=identity, urn=urn(token), olds=to_struct(state), news=to_struct(inputs), preview=preview
        )
        return from_struct(self.call("Update", request).properties)

    def delete(self, token: str, identity: str, state: Properties) -> None:
        request = provider_pb2.DeleteRequest(id=identity, urn=urn(token), properties=to_struct(state))
        self.call("Delete", request)

    def invoke(self, token: str, **arguments: Any) -> Properties:
        answer = self.call("Invoke", provider_pb2.InvokeRequest(tok=token, args=to_struct(arguments)))
        assert not answer.failures, answer.failures
        return from_struct(getattr(answer, "return"))
