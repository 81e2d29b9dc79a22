# ruff: noqa: N802 - the methods bear the protocol's names
"""A policy pack without the policy SDK: three rules, answered over the analyzer protocol."""

import sys
import threading
from concurrent import futures

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2 as wire, analyzer_pb2_grpc

RULES = {"no-evil": wire.MANDATORY, "no-doubt": wire.ADVISORY, "few-things": wire.MANDATORY}


class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    def __init__(self):
        self.levels, self.limit = dict(RULES), 3

    def found(self, rule, message, urn=""):
        return wire.AnalyzeDiagnostic(
            policyName=rule,
            policyPackName="toy-pack",
            message=message,
            enforcementLevel=self.levels[rule],
            urn=urn,
        )

    def GetAnalyzerInfo(self, request, context):
        policies = [wire.PolicyInfo(name=name, enforcementLevel=level) for name, level in RULES.items()]
        return wire.AnalyzerInfo(name="toy-pack", version="1.0.0", policies=policies, supportsConfig=True)

    def Configure(self, request, context):
        for name, setting in request.policyConfig.items():
            self.levels[name] = setting.enforcementLevel
            self.limit = int(json_format.MessageToDict(setting.properties).get("limit", self.limit))
        return empty_pb2.Empty()

    def ConfigureStack(self, request, context):
        return wire.AnalyzerStackConfigureResponse()

    def Analyze(self, request, context):
        value = json_format.MessageToDict(request.properties).get("value")
        if value == "hang":
            threading.Event().wait(20)
        if value == "evil":
            return wire.AnalyzeResponse(
                diagnostics=[self.found("no-evil", "nothing may be evil", request.urn)]
            )
        if value == "doubt":
            return wire.AnalyzeResponse(diagnostics=[self.found("no-doubt", "be sure", request.urn)])
        return wire.AnalyzeResponse()

    def AnalyzeStack(self, request, context):
        things = [item for item in request.resources if item.type == "toy:index:Thing"]
        if any(json_format.MessageToDict(item.properties).get("value") == "burst" for item in things):
            raise ValueError("the rule is broken")
        if len(things) > self.limit:
            return wire.AnalyzeResponse(
                diagnostics=[self.found("few-things", f"{len(things)} things are too many")]
            )
        return wire.AnalyzeResponse()


server = grpc.server(futures.ThreadPoolExecutor(4))
analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Pack(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
sys.stdout.write(f"{port}\n")
sys.stdout.flush()
threading.Event().wait()
