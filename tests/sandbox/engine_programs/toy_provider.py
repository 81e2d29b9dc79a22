# ruff: noqa: N802 - the methods bear the protocol's names
"""The provider behind `toy`, in process: it keeps what it made and the order of every call."""

import itertools
import threading
import time
from concurrent import futures
from typing import Any, Self

import grpc
from google.protobuf import any_pb2, empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2 as wire, provider_pb2_grpc, status_pb2

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE = "4dabf18193072939515e22adb298388d"


def plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    return json_format.MessageToDict(struct)


def packed(values: dict[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


def bare(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and SIGNATURE in value else value


class ToyProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Inputs steer it: value "fail" fails, "half" is created but not ready, "slow" takes a moment."""

    def __init__(self, *, accept_secrets: bool = True) -> None:
        self.accept_secrets = accept_secrets
        self.calls: list[str] = []
        self.things: dict[str, dict[str, Any]] = {}
        self.configured: list[dict[str, Any]] = []
        self.serial = itertools.count(1)
        self.busy = self.busiest = 0
        self.guard = threading.Lock()
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.server = grpc.server(futures.ThreadPoolExecutor(32))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self.server.stop(0).wait()

    def note(self, verb: str, urn: str) -> None:
        with self.guard:
            self.calls.append(f"{verb} {urn.rsplit('::', 1)[-1]}")

    def Attach(self, request, context):
        return empty_pb2.Empty()

    def CheckConfig(self, request, context):
        if "bad" in plain(request.news):
            failure = wire.CheckFailure(property="bad", reason="is not a setting of toy")
            return wire.CheckResponse(failures=[failure])
        return wire.CheckResponse(inputs=request.news)

    def Configure(self, request, context):
        self.configured.append(plain(request.args))
        return wire.ConfigureResponse(
            acceptSecrets=self.accept_secrets, supportsPreview=True, acceptResources=True, acceptOutputs=False
        )

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="1.0.0")

    def Invoke(self, request, context):
        text = bare(plain(request.args)["text"])
        if text == "fail":
            return wire.InvokeResponse(failures=[wire.CheckFailure(property="text", reason="is refused")])
        return wire.InvokeResponse(**{"return": packed({"text": str(text).upper()})})

    def Check(self, request, context):
        news = plain(request.news)
        if news.get("value") == "invalid":
            return wire.CheckResponse(failures=[wire.CheckFailure(property="value", reason="is invalid")])
        news.setdefault("size", 1)
        return wire.CheckResponse(inputs=packed(news))

    def Diff(self, request, context):
        olds, news = plain(request.old_inputs), plain(request.news)
        ignored = set(request.ignoreChanges)
        keys = sorted(
            k for k in {*olds, *news} if k not in ignored and bare(olds.get(k)) != bare(news.get(k))
        )
        replaces = [k for k in keys if k == "name"]
        return wire.DiffResponse(
            changes=wire.DiffResponse.DIFF_SOME if keys else wire.DiffResponse.DIFF_NONE,
            diffs=keys,
            replaces=replaces,
            deleteBeforeReplace=bool(news.get("exclusive")),
        )

    def outputs(self, inputs: dict[str, Any], serial: str) -> dict[str, Any]:
        echo = {"secretEcho": f"observed {bare(inputs['secret'])}"} if "echo" in inputs else {}
        return {**inputs, **echo, "serial": serial}

    def Create(self, request, context):
        inputs = plain(request.properties)
        if request.preview:
            return wire.CreateResponse(properties=packed(self.outputs(inputs, UNKNOWN)))
        self.note("create", request.urn)
        value = bare(inputs.get("value"))
        if value == "fail":
            context.abort(grpc.StatusCode.UNKNOWN, "toy: the create was refused")
        if value == "die":
            self.server.stop(0)
            self.gate.wait(20)
        with self.guard:
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)
        if value == "slow":
            time.sleep(0.15)
        if value == "wait":
            self.entered.set()
            self.gate.wait(20)
        with self.guard:
            self.busy -= 1
            thing = f"thing-{next(self.serial)}"
            self.things[thing] = inputs
        outputs = self.outputs(inputs, thing)
        if value == "half":
            self.abort_half(context, thing, outputs)
        return wire.CreateResponse(id=thing, properties=packed(outputs))

    def abort_half(self, context, thing: str, outputs: dict[str, Any]) -> None:
        detail = any_pb2.Any()
        detail.Pack(
            wire.ErrorResourceInitFailed(id=thing, properties=packed(outputs), reasons=["toy: not ready yet"])
        )
        status = status_pb2.Status(code=2, message="toy: not ready yet", details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, "toy: not ready yet")

    def Update(self, request, context):
        inputs = plain(request.news)
        if request.preview:
            return wire.UpdateResponse(properties=packed(self.outputs(inputs, UNKNOWN)))
        self.note("update", request.urn)
        if bare(inputs.get("value")) == "fail":
            context.abort(grpc.StatusCode.UNKNOWN, "toy: the update was refused")
        self.things[request.id] = inputs
        return wire.UpdateResponse(properties=packed(self.outputs(inputs, request.id)))

    def Delete(self, request, context):
        self.note("delete", request.urn)
        if bare(plain(request.properties).get("value")) == "sticky":
            context.abort(grpc.StatusCode.UNKNOWN, "toy: the delete was refused")
        self.things.pop(request.id, None)
        return empty_pb2.Empty()

    def Read(self, request, context):
        self.note("read", request.urn)
        if request.id not in self.things:
            return wire.ReadResponse()
        inputs = self.things[request.id]
        if bare(inputs.get("value")) == "hidden":
            context.abort(grpc.StatusCode.UNKNOWN, "toy: the read was refused")
        return wire.ReadResponse(
            id=request.id, inputs=packed(inputs), properties=packed(self.outputs(inputs, request.id))
        )
