"""What a small program registers, captured once without an engine, as the requests that an engine sends to a pack."""

import asyncio
import runpy
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
from pulumi.runtime import mocks, settings
from pulumi.runtime.proto import analyzer_pb2
from pulumi.runtime.stack import run_pulumi_func

PROJECT = "atlas-access"


@dataclass
class Captured:
    """The requests of one program, in the order of registration."""

    analyze: list[analyzer_pb2.AnalyzeRequest] = field(default_factory=list)
    stack: list[analyzer_pb2.AnalyzerResource] = field(default_factory=list)


class _Echo(pulumi.runtime.Mocks):
    def call(self, args):
        return {}, None

    def new_resource(self, args):
        outputs = dict(args.inputs)
        outputs.setdefault("arn", f"arn:aws:mock:us-east-1:111111111111:{args.name}")
        return f"{args.name}-id", outputs


class _Monitor(mocks.MockMonitor):
    def __init__(self, captured):
        super().__init__(_Echo())
        self.captured = captured

    def RegisterResource(self, request):  # noqa: N802 - the protocol's name
        if request.type == "pulumi:pulumi:Stack":
            return super().RegisterResource(request)
        urn = self.make_urn(request.parent, request.type, request.name)
        options = analyzer_pb2.AnalyzerResourceOptions(
            protect=request.protect, ignoreChanges=request.ignoreChanges, parent=request.parent
        )
        self.captured.analyze.append(
            analyzer_pb2.AnalyzeRequest(
                type=request.type, urn=urn, name=request.name, properties=request.object, options=options
            )
        )
        self.captured.stack.append(
            analyzer_pb2.AnalyzerResource(
                type=request.type,
                urn=urn,
                name=request.name,
                properties=request.object,
                options=options,
                parent=request.parent,
                dependencies=request.dependencies,
            )
        )
        return super().RegisterResource(request)


def capture(program: Path, stack: str) -> Captured:
    """Run a program against mocks and return what it registered; an exception of the program is raised."""
    captured = Captured()
    root = f"urn:pulumi:{stack}::{PROJECT}::pulumi:pulumi:Stack::{PROJECT}-{stack}"
    begin = analyzer_pb2.AnalyzeRequest(type="pulumi:pulumi:Stack", urn=root, name=f"{PROJECT}-{stack}")
    captured.analyze.append(begin)
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(_Echo(), project=PROJECT, stack=stack, preview=False, monitor=_Monitor(captured))
    settings.SETTINGS.rpc_manager.clear()
    settings.SETTINGS.outputs.clear()

    def run():
        runpy.run_path(str(program))

    asyncio.get_event_loop().run_until_complete(run_pulumi_func(run))
    return captured
