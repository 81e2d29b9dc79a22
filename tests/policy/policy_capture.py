"""What a small program registers, captured once without an engine, as the requests that an engine sends to a pack."""

import asyncio
import runpy
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
from pulumi.runtime import mocks, settings
from pulumi.runtime.proto import analyzer_pb2, resource_pb2
from pulumi.runtime.stack import run_pulumi_func

PROJECT = "atlas-access"


@dataclass
class Captured:
    """The requests of one program, in the order of registration."""

    analyze: list[analyzer_pb2.AnalyzeRequest] = field(default_factory=list)
    stack: list[analyzer_pb2.AnalyzerResource] = field(default_factory=list)
    registered: list[resource_pb2.RegisterResourceRequest] = field(default_factory=list)


class _Echo(pulumi.runtime.Mocks):
    def call(self, args):
        return {}, None

    def new_resource(self, args):
        outputs = dict(args.inputs)
        outputs.setdefault("arn", f"arn:aws:mock:us-east-1:111111111111:{args.name}")
        return f"{args.name}-id", outputs


class _Monitor(mocks.MockMonitor):
    def __init__(self, captured, answers):
        super().__init__(answers)
        self.captured = captured

    def RegisterResource(self, request):  # noqa: N802 - the protocol's name
        if request.type == "pulumi:pulumi:Stack":
            return super().RegisterResource(request)
        self.captured.registered.append(request)
        urn = self.make_urn(request.parent, request.type, request.name)
        options = analyzer_pb2.AnalyzerResourceOptions(
            protect=request.protect,
            ignoreChanges=request.ignoreChanges,
            deleteBeforeReplace=request.deleteBeforeReplace,
            parent=request.parent,
        )
        self.captured.analyze.append(
            analyzer_pb2.AnalyzeRequest(
                type=request.type, urn=urn, name=request.name, properties=request.object, options=options
            )
        )
        response = super().RegisterResource(request)
        self.captured.stack.append(
            analyzer_pb2.AnalyzerResource(
                type=request.type,
                urn=urn,
                name=request.name,
                properties=response.object,
                options=options,
                parent=request.parent,
                dependencies=request.dependencies,
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=each.urns)
                    for key, each in request.propertyDependencies.items()
                },
            )
        )
        return response


def capture(program: Path, stack: str) -> Captured:
    """Run a program against mocks and return what it registered; an exception of the program is raised."""

    def run():
        runpy.run_path(str(program))

    return capture_run(run, stack, _Echo())


def capture_run(run, stack: str, answers) -> Captured:
    """What a function registers, `answers` being the mocks that play the providers; its exception is raised."""
    captured = Captured()
    root = f"urn:pulumi:{stack}::{PROJECT}::pulumi:pulumi:Stack::{PROJECT}-{stack}"
    begin = analyzer_pb2.AnalyzeRequest(type="pulumi:pulumi:Stack", urn=root, name=f"{PROJECT}-{stack}")
    captured.analyze.append(begin)
    settings.SETTINGS.rpc_manager.clear()
    settings.SETTINGS.outputs.clear()

    async def whole():
        # The mocks' root stack belongs to the loop that runs the program.
        monitor = _Monitor(captured, answers)
        mocks.set_mocks(answers, project=PROJECT, stack=stack, preview=False, monitor=monitor)
        await run_pulumi_func(run)

    asyncio.run(whole())
    return captured
